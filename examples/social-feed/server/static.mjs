// Files of the app. Only what is below one of the given folders, or is named exactly, is served.
import { readFile } from 'node:fs/promises';
import { extname, join, normalize, sep } from 'node:path';

const kTypes = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.webmanifest': 'application/manifest+json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.txt': 'text/plain; charset=utf-8',
};

// The file's path for a URL path, or undefined when it would leave the folder.
function pathBelow(folder, urlPath) {
  const path = normalize(join(folder, decodeURIComponent(urlPath)));
  return path === folder || path.startsWith(folder + sep) ? path : undefined;
}

// mounts: [{ prefix: '/', folder }] or [{ prefix: '/lib.js', file }]; the first that has the file wins.
export async function serveFile(mounts, urlPath) {
  for (const mount of mounts) {
    let path;
    if (mount.file) {
      path = urlPath === mount.prefix ? mount.file : undefined;
    } else if (urlPath.startsWith(mount.prefix)) {
      path = pathBelow(mount.folder, urlPath.slice(mount.prefix.length));
    }
    if (path === undefined) continue;
    if (urlPath.endsWith('/')) path = join(path, 'index.html');
    try {
      const body = await readFile(path);
      return { body, type: kTypes[extname(path)] ?? 'application/octet-stream' };
    } catch (error) {
      if (error.code !== 'ENOENT' && error.code !== 'EISDIR' && error.code !== 'ENOTDIR') throw error;
    }
  }
  return undefined;
}
