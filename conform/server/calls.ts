import { FunctionClient } from '../../sim/http.ts';
import { type ServerRun, toldOf } from './run.ts';

/** How calls are made and refused, before anything is ordered. */
export async function checkCalls(run: ServerRun): Promise<void> {
  await checkCertificate(run);
  const { conformity, input } = run;
  const { operator, eum, maker } = input;
  const other = { ...operator, functionRequesterIdentifier: eum.functionRequesterIdentifier };
  const status = { orderId: run.orderId };
  const answer = await new FunctionClient(other).call('es2f', 'getOrderStatus', status);
  run.seen('es2f.getOrderStatus with the identifier of another party', answer);
  conformity.check(
    'server.call.requester',
    answer.status === 'Failed' && answer.subjectCode === '1.1' && answer.httpStatus < 500,
    'es2f.getOrderStatus with the identifier of another party',
    'Failed, subject 1.1',
    toldOf(answer),
  );
  const roles = [
    ['es2f', 'getOrderStatus', maker, status],
    ['esbpp', 'getBppBatch', eum, { requestId: '00' }],
    ['esed1', 'closeKeys', operator, { items: [] }],
  ] as const;
  for (const [interfaceName, functionName, caller, body] of roles)
    run.refused(
      'server.call.role',
      `${interfaceName}.${functionName} by ${caller.functionRequesterIdentifier}`,
      '1.1/1.2',
      await new FunctionClient(caller).call(interfaceName, functionName, body),
    );
  await checkForm(run);
}

/** Either TLS fails, or the call is refused: what counts is that nobody without a certificate is answered. */
async function checkCertificate({ conformity, input, orderId }: ServerRun): Promise<void> {
  const { ca } = input.operator.tls ?? {};
  // that the connection breaks off is what is looked for: no patience with it
  const stranger = { ...input.operator, tls: ca === undefined ? {} : { ca }, patienceMs: 0 };
  const client = new FunctionClient(stranger);
  const where = 'es2f.getOrderStatus without a client certificate';
  try {
    const answer = await client.call('es2f', 'getOrderStatus', { orderId });
    // an order that does not exist would be refused all the same, but as something that the caller may ask
    const holds = answer.status === 'Failed' && answer.subjectCode !== '8.8.5';
    conformity.check(
      'server.tls.client-certificate',
      holds,
      where,
      'no connection, or Failed with 1.1',
      toldOf(answer),
    );
  } catch {
    conformity.passed('server.tls.client-certificate');
  }
}

async function checkForm(run: ServerRun): Promise<void> {
  const { conformity, input, orderId } = run;
  const { operator } = input;
  const headers = { ...operator.headers, 'X-Admin-Protocol': 'ifpp-draft/v9.0.0' };
  run.refused(
    'server.call.protocol',
    'es2f.getOrderStatus with X-Admin-Protocol ifpp-draft/v9.0.0',
    '1.3.2/3.1',
    await new FunctionClient({ ...operator, headers }).call('es2f', 'getOrderStatus', { orderId }),
  );
  const client = new FunctionClient(operator);
  for (const body of ['{"header":', 'null', '[]']) {
    const call = `es2f.getOrderStatus with the body ${body}`;
    run.refused(
      'server.call.malformed',
      call,
      '1.3.1/2.1',
      await client.post('es2f', 'getOrderStatus', body),
    );
  }
  const unknown = await client.call('es2f', 'noSuchFunction', {});
  conformity.check(
    'server.call.function',
    unknown.httpStatus === 404 && unknown.status === 'Failed',
    'es2f.noSuchFunction',
    'HTTP 404',
    toldOf(unknown),
  );
}
