// Builds the optional encoders of native/ into native/build: VP8 and VP9 by libvpx, AV1 by libaom, each where its library is found.
// Node's own headers are used; nothing is downloaded. CXX names the compiler, CXXFLAGS adds options.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const LIBRARIES = [
  {
    name: 'vpx',
    title: 'libvpx',
    codecs: 'VP8, VP9',
    debian: 'libvpx-dev',
    source: 'vpx-encoder.cc',
    define: 'FRAMELOCK_VPX',
  },
  {
    name: 'aom',
    title: 'libaom',
    codecs: 'AV1',
    debian: 'libaom-dev',
    source: 'aom-encoder.cc',
    define: 'FRAMELOCK_AOM',
  },
];
/** Sanitizers take other libraries' warnings for ours, so only ours are errors. */
const FLAGS = [
  '-std=c++17',
  '-O3',
  '-fPIC',
  '-shared',
  '-fvisibility=hidden',
  '-Wall',
  '-Wextra',
  '-Wshadow',
  '-Werror',
];

const folder = fileURLToPath(new URL('../native/', import.meta.url));

function run(command, args) {
  return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();
}

function find(library) {
  try {
    const version = run('pkg-config', ['--modversion', library.name]);
    const flags = run('pkg-config', ['--cflags', '--libs', library.name]).split(/\s+/);
    return { ...library, version, flags };
  } catch {
    return undefined;
  }
}

function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

const headers = [
  join(dirname(process.execPath), '../include/node'),
  // Debian's package libnode-dev.
  '/usr/include/node',
].find((candidate) => existsSync(join(candidate, 'node_api.h')));
if (headers === undefined)
  fail(
    "Node's headers (include/node/node_api.h) are not beside the node that runs this; install Node from its official archive.",
  );

const found = LIBRARIES.map(find).filter((library) => library !== undefined);
for (const library of LIBRARIES) {
  const version = found.find(({ name }) => name === library.name)?.version;
  const outcome =
    version === undefined ? `not found (apt-get install ${library.debian} pkg-config)` : `found, ${version}`;
  process.stdout.write(`${library.title} (${library.codecs}): ${outcome}\n`);
}
if (found.length === 0) fail('There is nothing to build: no codec library was found.');

const missing = LIBRARIES.filter(({ name }) => !found.some((library) => library.name === name)).map(
  ({ source }) => source,
);
const sources = readdirSync(folder).filter((name) => name.endsWith('.cc') && !missing.includes(name));
mkdirSync(join(folder, 'build'), { recursive: true });
const output = join(folder, 'build', 'framelock-codecs.node');
// Built beside and moved into place: a process that uses the old one keeps it.
const fresh = `${output}.${process.pid}`;
const compiler = process.env.CXX ?? 'c++';
try {
  execFileSync(
    compiler,
    [
      ...FLAGS,
      ...(process.env.CXXFLAGS ?? '').split(/\s+/).filter(Boolean),
      ...(process.platform === 'darwin' ? ['-undefined', 'dynamic_lookup'] : []),
      '-DNAPI_VERSION=8',
      '-isystem',
      headers,
      ...found.map(({ define }) => `-D${define}`),
      ...sources.map((name) => join(folder, name)),
      '-o',
      fresh,
      ...found.flatMap(({ flags }) => flags),
    ],
    { stdio: 'inherit' },
  );
} catch (error) {
  fail(
    `${compiler} did not build the encoders: ${error.message.split('\n')[0]}. A C++17 compiler is needed (apt-get install g++).`,
  );
}
renameSync(fresh, output);
process.stdout.write(
  `built native/build/framelock-codecs.node with ${found.map(({ title }) => title).join(' and ')}\n`,
);
