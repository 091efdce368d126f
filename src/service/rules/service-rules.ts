import { isIP } from 'node:net';
import { pointer, type Violation } from '../schema/invalid-document.js';
import type { HttpSpec, ServiceSpec } from '../schema/service-schema.js';
import { duplicates, publisherViolations } from './publisher-rules.js';

/** What is wrong with a configuration beyond its schema. */
export function serviceViolations({ http = {}, publishers = [] }: ServiceSpec): readonly Violation[] {
  return [
    ...exposureViolations(http),
    ...duplicates(publishers, '/publishers'),
    ...publishers.flatMap((publisher, index) => publisherViolations(publisher, pointer('publishers', index))),
  ];
}

/** An address that others can reach needs tokens: the API starts programs' cameras and opens files. */
function exposureViolations({ host = '127.0.0.1', tokens = [] }: HttpSpec): readonly Violation[] {
  if (isLoopback(host) || tokens.length > 0) return [];
  const message = 'is not a loopback address: give at least one entry in http.tokens, or use 127.0.0.1';
  return [{ path: '/http/host', rule: 'exposed-without-token', message }];
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}
