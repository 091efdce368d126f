// tsc copies no other files: puts the page of the loopback SFU beside its compiled server.
import { cpSync } from 'node:fs';

cpSync('src/loopback/page', 'dist/loopback/page', { recursive: true });
