#!/usr/bin/env node
'use strict';

// Encoding runs on libuv's thread pool, whose size is read once, at its first use; loading an ES module on Node 20 is such a use. So this
// launcher is CommonJS, and the size is set before anything else: a thread a core, and two for files and DNS.
const { availableParallelism } = require('node:os');

process.env.UV_THREADPOOL_SIZE ??= String(Math.max(4, availableParallelism() + 2));
// The lock checker takes a stack trace for every lock of every frame: it is for those who develop.
process.env.NODE_ENV ??= 'production';
import('../dist/cli/main.js');
