import type { Runtime } from '../../shared/runtime.ts';
import type { Person } from '../../shared/service/api/actor.ts';
import { personOf } from './acting-person.ts';
import { DeploymentFolder } from './folder.ts';

/**
 * Opens the stores of a deployment for one command, also beside a running server: what a command changes counts for
 * the server from its next call on. Its lines of the audit log are chained at the end.
 */
export async function withRuntime<Answer>(
  folder: string,
  work: (runtime: Runtime, deployment: DeploymentFolder, by: Person) => Promise<Answer>,
): Promise<Answer> {
  const deployment = await DeploymentFolder.existing(folder);
  const runtime = await deployment.openRuntime({ lanes: 'none' });
  try {
    const answer = await work(runtime, deployment, await personOf(runtime, 'cli'));
    if ((await runtime.standing.why()) === undefined) await runtime.audit.chain();
    return answer;
  } finally {
    await runtime.close();
  }
}

export const FOLDER_OPTION = ['--folder <folder>', 'the deployment', 'smdpf-data'] as const;
