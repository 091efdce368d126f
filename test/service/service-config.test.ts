import { describe, expect, it } from 'vitest';
import { readServiceConfig } from '../../src/service/config/service-config.js';
import { InvalidDocument } from '../../src/service/schema/invalid-document.js';
import { ServiceSpec } from '../../src/service/schema/service-schema.js';

const ROBOT = `
http:
  port: 9000
publishers:
  - id: robot
    sfu:
      whip: { url: "http://127.0.0.1:8080/whip/demo", token: "\${SFU_TOKEN}" }
    bitrateBps: \${RATE:-3000000}
    tracks:
      - id: front
        source: test:640x360@15
`;

/** What is wrong with a configuration, one text for each fault. */
function faults(text: string, environment: Record<string, string> = {}): readonly string[] {
  try {
    readServiceConfig(text, 'robot.yaml', environment);
  } catch (error) {
    if (error instanceof InvalidDocument) return error.violations.map(({ message }) => message);
    throw error;
  }
  return [];
}

describe('a configuration', () => {
  it('is YAML with variables of the environment in its values', () => {
    expect(readServiceConfig(ROBOT, 'robot.yaml', { SFU_TOKEN: '12345678' })).toEqual({
      http: { port: 9000 },
      publishers: [
        {
          id: 'robot',
          sfu: { whip: { url: 'http://127.0.0.1:8080/whip/demo', token: '12345678' } },
          bitrateBps: 3_000_000,
          tracks: [{ id: 'front', source: 'test:640x360@15' }],
        },
      ],
    });
  });

  it('may be empty, and may be JSON', () => {
    expect(readServiceConfig('', 'empty.yaml', {})).toEqual({});
    expect(readServiceConfig('{"http": {"port": 1}}', 'a.json', {})).toEqual({ http: { port: 1 } });
  });

  it('never takes what is in a variable for structure', () => {
    const text = `publishers:\n  - id: robot\n    sfu: { whip: { url: "\${URL}" } }\n`;
    const url = 'http://x/"}}\n  - id: other';
    expect(readServiceConfig(text, 'a.yaml', { URL: url }).publishers).toEqual([
      { id: 'robot', sfu: { whip: { url } } },
    ]);
  });

  it('keeps a reference that is escaped, and takes a default for an empty variable', () => {
    const text = `publishers:\n  - id: "\${ID:-robot}"\n    sfu: { whip: { url: "http://a/$\${b}" } }\n`;
    expect(readServiceConfig(text, 'a.yaml', { ID: '' }).publishers).toEqual([
      { id: 'robot', sfu: { whip: { url: `http://a/\${b}` } } },
    ]);
  });

  it.each([
    ['a variable that is not set', ROBOT, ['line 7: needs the variable SFU_TOKEN, which is not set']],
    ['a reference that is none', `log:\n  level: \${a-b}`, [/^line 2: has "\$\{a-b\}", which is no reference/]],
    ['malformed YAML', 'http:\n  port: [1', [/^line 2: /]],
    ['a key twice', 'http: {}\nhttp: {}', [/^line 2: Map keys must be unique/]],
    [
      'fields that are not known, and values out of range',
      'http:\n  port: 99999\n  hots: a\nlog: { level: loud }',
      [
        'line 3: /http/hots is not known',
        'line 2: /http/port must be <= 65535',
        /^line 4: \/log\/level must be one of/,
      ],
    ],
    ['a field that is missing', 'publishers:\n  - id: robot', ['line 2: /publishers/0/sfu is missing']],
    ['a list for a mapping', '- 1', [/must be object/]],
    [
      'an address that others reach, without a token',
      'http:\n  host: 0.0.0.0',
      [/^line 2: \/http\/host is not a loopback address/],
    ],
    [
      'an id twice',
      'publishers:\n  - { id: a, sfu: { whip: { url: "http://a" } } }\n  - { id: a, sfu: { whip: { url: "http://a" } } }',
      ['line 3: /publishers/1/id is taken by another one before it'],
    ],
    [
      'SFUs that cannot be spoken to',
      [
        'publishers:',
        '  - { id: a, sfu: { whip: { url: sfu.example } } }',
        '  - { id: b, sfu: { janus: { url: "http://a", room: 0 } } }',
        '  - { id: c, sfu: { janus: { url: "ws://a", room: 0 } } }',
      ].join('\n'),
      [
        /^line 2: \/publishers\/0\/sfu\/whip\/url .*not an absolute URL/,
        /^line 3: \/publishers\/1\/sfu\/janus\/url .*must be ws or wss/,
        /^line 4: \/publishers\/2\/sfu\/janus\/room .*whole number from 1/,
      ],
    ],
    [
      'STUN and TURN servers that cannot be used',
      [
        'publishers:',
        '  - { id: a, sfu: { whip: { url: "http://a" } }, iceServers: [{ urls: "http://turn.example" }] }',
        '  - { id: b, sfu: { whip: { url: "http://a" } }, iceServers: [{ urls: "turn:turn.example" }] }',
        '  - { id: c, sfu: { whip: { url: "http://a" } }, iceTransportPolicy: relay }',
      ].join('\n'),
      [
        /^line 2: \/publishers\/0\/iceServers .*cannot be read/,
        /^line 3: \/publishers\/1\/iceServers .*needs username and credential/,
        /^line 4: \/publishers\/2\/iceTransportPolicy .*needs a TURN server/,
      ],
    ],
    ['several documents', 'http: {}\n---\nhttp: {}', [/^line 2: .*one document/]],
    ['an anchor that is not there', 'http: *gone', [/alias.*gone/]],
  ])('is refused with its line: %s', (_what, text, expected) => {
    const found = faults(text);
    expect(found).toEqual(expected.map((one) => (typeof one === 'string' ? one : expect.stringMatching(one))));
  });

  it('never shows what is in its values', () => {
    const text =
      'http:\n  tokens:\n    - { role: admin, token: "hunter2hunter2hunter2" }\n    - { role: read, token: "short" }';
    const message = faults(text).join();
    expect(message).toContain('line 3: /http/tokens/0/role');
    expect(message).toContain('line 4: /http/tokens/1/token');
    expect(message).not.toMatch(/hunter|short/);
  });

  it('accepts other addresses with a token, and any loopback address without', () => {
    const token = '  tokens: [{ role: control, token: 0123456789abcdef }]';
    expect(faults(`http:\n  host: 0.0.0.0\n${token}`)).toEqual([]);
    for (const host of ['127.0.0.1', '127.1.2.3', '"::1"', 'localhost'])
      expect(faults(`http: { host: ${host} }`)).toEqual([]);
    expect(faults('http: { host: 127.evil.example }')).not.toEqual([]);
  });
});

describe('the schema of a configuration', () => {
  it('is published beside the documentation (vitest run THIS_FILE -u writes it anew)', async () => {
    const schema = { $schema: 'https://json-schema.org/draft/2020-12/schema', ...ServiceSpec };
    await expect(`${JSON.stringify(schema, null, 2)}\n`).toMatchFileSnapshot('../../docs/service-config.schema.json');
  });
});
