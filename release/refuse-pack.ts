/** `npm pack` here would make a package of TypeScript, which no Node runs out of node_modules. */
console.error(
  'The npm package is made by `npm run release`, in dist/: of the sources alone it would not run.',
);
process.exitCode = 1;
