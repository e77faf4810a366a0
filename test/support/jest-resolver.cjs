// Sources import each other by the name they have after compiling (`./event.js`), as Node demands of ES modules.
// Jest runs the sources, so our own `./event.js` is `./event.ts` here. Packages are left alone: some ship their
// TypeScript beside the JavaScript, and must not be swapped for it.
const { existsSync } = require('node:fs');
const path = require('node:path');

const inPackage = new RegExp(`[\\\\/]node_modules[\\\\/]`);

module.exports = (request, options) => {
  if (/^\.{1,2}\/.*\.js$/.test(request) && !inPackage.test(`${options.basedir}/`)) {
    const source = path.resolve(options.basedir, request.replace(/\.js$/, '.ts'));
    if (existsSync(source)) return source;
  }
  return options.defaultResolver(request, options);
};
