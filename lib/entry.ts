import { type FunctionPath, functionAt, functionPaths } from '../shared/gsma/functions/index.ts';
import { sideOf } from '../shared/gsma/interface-function.ts';
import type { OperatorConfig } from './config.ts';
import type { FunctionName } from './functions.ts';

/**
 * The module that Lambda loads for a function, as it stands at the root of the project. It follows from the name:
 * `es2f.closeOrder` serves `closeOrder` of shared/gsma/functions/es2f/close-order.ts, `jobs.runTask` is `handler` of
 * lambdas/jobs/run-task.ts.
 */
export function entryOf(name: FunctionName, target: OperatorConfig['target']): string {
  if (!isInterfaceFunction(name)) return `export { handler } from './lambdas/${fileOf(name)}';\n`;
  const emulated = target === 'emulator' && sideOf(functionAt(name)) === 'parties';
  return [
    `import { ${name.split('.')[1]} as row } from './shared/gsma/functions/${fileOf(name)}';`,
    "import { lambdaEntry } from './lambdas/runtime.ts';",
    ...(emulated
      ? [
          "import { withCertificateHeader } from './localstack/certificate-header.ts';",
          'export const handler = withCertificateHeader(lambdaEntry(row));',
        ]
      : ['export const handler = lambdaEntry(row);']),
    '',
  ].join('\n');
}

export const isInterfaceFunction = (name: FunctionName): name is FunctionPath =>
  functionPaths.some((path) => path === name);

/** "esbpp.requestBpp" is "esbpp/request-bpp.ts". */
export const fileOf = (name: string): string =>
  `${name.replace('.', '/').replaceAll(/[A-Z]/g, (capital) => `-${capital.toLowerCase()}`)}.ts`;
