import { type FunctionPath, functionAt, functionPaths } from '../shared/gsma/functions/index.ts';
import { sideOf } from '../shared/gsma/interface-function.ts';
import type { OperatorConfig } from './config.ts';
import { type LambdaName, SHARED_LAMBDAS, type SharedName } from './functions.ts';

/**
 * The module that Lambda loads for a function, as it stands at the root of the project. It follows from the name:
 * `es2f.closeOrder` serves `closeOrder` of shared/gsma/functions/es2f/close-order.ts, `jobs.runTask` is `handler` of
 * lambdas/jobs/run-task.ts.
 */
export function entryOf(name: LambdaName, target: OperatorConfig['target']): string {
  if (isShared(name)) return sharedEntry(SHARED_LAMBDAS[name], target);
  if (!isInterfaceFunction(name)) return `export { handler } from './lambdas/${fileOf(name)}';\n`;
  const emulated = target === 'emulator' && sideOf(functionAt(name)) === 'parties';
  return [
    `import { ${name.split('.')[1]} as row } from './shared/gsma/functions/${fileOf(name)}';`,
    "import { loadAhead } from './lambdas/load-ahead.ts';",
    "import { lambdaEntry } from './lambdas/runtime.ts';",
    'await loadAhead(row);',
    ...(emulated
      ? [
          "import { withCertificateHeader } from './localstack/certificate-header.ts';",
          'export const handler = withCertificateHeader(lambdaEntry(row));',
        ]
      : ['export const handler = lambdaEntry(row);']),
    '',
  ].join('\n');
}

/** Of a Lambda that several functions share: which of them is called says the path of the request. */
function sharedEntry(paths: readonly FunctionPath[], target: OperatorConfig['target']): string {
  const handler = 'lambdaEntryOf([ROWS])'.replace('ROWS', paths.map((_, i) => `row${i}`).join(', '));
  return [
    ...paths.map(
      (path, i) =>
        `import { ${path.split('.')[1]} as row${i} } from './shared/gsma/functions/${fileOf(path)}';`,
    ),
    "import { lambdaEntryOf } from './lambdas/runtime.ts';",
    ...(target === 'emulator'
      ? [
          "import { withCertificateHeader } from './localstack/certificate-header.ts';",
          `export const handler = withCertificateHeader(${handler});`,
        ]
      : [`export const handler = ${handler};`]),
    '',
  ].join('\n');
}

const isShared = (name: LambdaName): name is SharedName => Object.hasOwn(SHARED_LAMBDAS, name);

export const isInterfaceFunction = (name: LambdaName): name is LambdaName & FunctionPath =>
  functionPaths.some((path) => path === name);

/** "esbpp.requestBpp" is "esbpp/request-bpp.ts". */
export const fileOf = (name: string): string =>
  `${name.replace('.', '/').replaceAll(/[A-Z]/g, (capital) => `-${capital.toLowerCase()}`)}.ts`;
