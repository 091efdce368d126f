import { Validator } from '@seriousme/openapi-schema-validator';
import { describe, expect, it } from 'vitest';
import { openApiDocument } from '../../src/service/api/openapi.js';
import { PublisherService } from '../../src/service/publisher-service.js';
import { call } from './api-client.js';
import { ServiceHarness } from './service-harness.js';

describe('the OpenAPI document', () => {
  it('is one by the schema of OpenAPI 3.1 itself, with every reference in it leading somewhere', async () => {
    const service = new PublisherService({
      spec: { http: { port: 0 } },
      parts: new ServiceHarness().parts,
      version: '1.2.3',
    });
    const { url } = await service.start();
    const { json } = await call(`${url}/openapi.json`);
    await service.close();
    const validator = new Validator();
    expect(await validator.validate(structuredClone(json))).toEqual({ valid: true });
    expect(validator.version).toBe('3.1');
    expect(() => validator.resolveRefs()).not.toThrow();
  });

  it('asks for a token only where the service does', () => {
    const route = {
      method: 'GET',
      path: '/things',
      operationId: 'things',
      summary: 'Things',
      role: 'read',
      responses: { 200: { description: 'Things' } },
      handle: () => ({ status: 200 }),
    } as const;
    const securityOf = (isGuarded: boolean): unknown => {
      const { paths } = openApiDocument([route], '1.2.3', isGuarded) as {
        paths: Record<string, { get: { security: unknown } }>;
      };
      return paths['/things']?.get.security;
    };
    expect(securityOf(true)).toEqual([{ token: [] }]);
    expect(securityOf(false)).toEqual([]);
  });
});
