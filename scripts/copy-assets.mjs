// tsc copies no other files: puts the pages of the loopback SFU and of the service beside their compiled servers.
import { cpSync } from 'node:fs';

cpSync('src/loopback/page', 'dist/loopback/page', { recursive: true });

cpSync('src/service/dashboard/page', 'dist/service/dashboard/page', {
  recursive: true,
  filter: (path) => !path.endsWith('.ts'),
});
