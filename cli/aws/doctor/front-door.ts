import { resolve4, resolve6 } from 'node:dns/promises';
import { request } from 'node:https';
import { setTimeout as pause } from 'node:timers/promises';
import type { DomainDescription } from '../stack-description.ts';
import { bad, type Check, type Finding, good, type Looking, unchecked } from './check.ts';

const NO_DOMAINS = 'the stack has no domains on an emulator';
const TIMEOUT_MS = 10_000;
const SIDES = ['parties', 'field'] as const;
/** API Gateway has more addresses than one answer of DNS tells, and the next answer tells others. */
const LOOK_UPS = 6;
const LOOK_UP_MS = 2_000;

/** Each name leads to where API Gateway answers for it. */
export const dns: Check = {
  name: 'DNS',
  notOnEmulator: NO_DOMAINS,
  wayOut: 'Point the name at the output …DomainTarget: an alias record in the zone …DomainZone, or a CNAME.',
  async look({ stack }) {
    for (const side of SIDES) {
      const { name, target } = stack.description.domains[side];
      const { meet, found } = await leadsTo(name, target ?? '', addressesOf);
      if (!meet)
        return bad(`${name} leads to ${found.join(', ') || 'nowhere'}, not to ${target}`, dns.wayOut);
    }
    return good(
      `${SIDES.map((side) => stack.description.domains[side].name).join(' and ')} lead to API Gateway`,
    );
  },
};

/** Whether two names have an address in common, in any of some answers. */
export async function leadsTo(
  name: string,
  target: string,
  look: (name: string) => Promise<readonly string[]>,
  waitMs = LOOK_UP_MS,
): Promise<{ readonly meet: boolean; readonly found: readonly string[] }> {
  const found = new Set<string>();
  const wanted = new Set<string>();
  for (let lookUp = 1; ; lookUp++) {
    const answers = await Promise.all([look(name), look(target)]);
    for (const address of answers[0]) found.add(address);
    for (const address of answers[1]) wanted.add(address);
    const meet = [...found].some((address) => wanted.has(address));
    if (meet || lookUp === LOOK_UPS) return { meet, found: [...found] };
    await pause(waitMs);
  }
}

async function addressesOf(name: string): Promise<string[]> {
  const found = await Promise.allSettled([resolve4(name), resolve6(name)]);
  return found.flatMap((one) => (one.status === 'fulfilled' ? one.value : []));
}

/** The domain of the parties stands, asks for certificates by a truststore without warnings, and takes TLS 1.2 and more. */
export const truststore: Check = {
  name: 'truststore',
  notOnEmulator: NO_DOMAINS,
  wayOut: 'Attach the output DoctorPolicy to the role you call with.',
  async look({ stack, calls }) {
    const { name } = stack.description.domains.parties;
    const domain = (await calls.get('apigateway', `/v2/domainnames/${name}`)) as {
      mutualTlsAuthentication?: { truststoreUri?: string; truststoreWarnings?: string[] };
      domainNameConfigurations?: { domainNameStatus?: string; domainNameStatusMessage?: string }[];
    };
    const { truststoreUri, truststoreWarnings = [] } = domain.mutualTlsAuthentication ?? {};
    const [configuration] = domain.domainNameConfigurations ?? [];
    if (truststoreUri === undefined)
      return bad(`${name} has no truststore: it asks nobody for a certificate`, 'Deploy the stack again.');
    if (configuration?.domainNameStatus !== 'AVAILABLE')
      return bad(
        `${name} is ${configuration?.domainNameStatus}: ${configuration?.domainNameStatusMessage ?? ''}`,
        'Wait, or look at its ACM certificate.',
      );
    if (truststoreWarnings.length > 0)
      return bad(
        truststoreWarnings.join('; '),
        'Correct the PEM that domains.parties.truststore names, and deploy again.',
      );
    return good(`${truststoreUri}, without warnings`);
  },
};

/** TLS lets nobody in without a certificate, and with one of the truststore it does. */
export const mutualTls: Check = {
  name: 'mutual TLS',
  notOnEmulator: 'emulators end no mutual TLS',
  wayOut: 'See the checks of DNS and truststore first.',
  async look({ stack, client }: Looking): Promise<Finding> {
    const { parties } = stack.description.domains;
    return judge(parties.name, await call(parties), client && (await call(parties, client)));
  },
};

/** API Gateway ends the connection of a client that it does not let in, or answers 403; a path that it does not know is 404. */
const REFUSED = 403;

/** `accepted`: undefined where there was no certificate to call with. */
export function judge(name: string, without: Called, accepted: Called | undefined): Finding {
  if (without.status !== undefined && without.status !== REFUSED)
    return bad(
      `a call without a certificate was answered with HTTP ${without.status}`,
      'Deploy the stack again; the default endpoint of its API has to be off.',
    );
  if (without.status === undefined && !/ECONNRESET|EPROTO|SSL|alert|hang up/i.test(without.error))
    return bad(`${name} cannot be called: ${without.error}`, mutualTls.wayOut);
  if (accepted === undefined)
    return unchecked(
      'a call without a certificate is refused; name one that the truststore lets in by --cert and --key',
    );
  return accepted.status === undefined || accepted.status === REFUSED
    ? bad(
        `refused without a certificate, and with the one given: ${accepted.error || `HTTP ${REFUSED}`}`,
        'Its CA has to be in the truststore, and it has to be valid now.',
      )
    : good(`refused without a certificate; with one answered, HTTP ${accepted.status}`);
}

export interface Called {
  readonly status?: number;
  readonly error: string;
}

/** What a call comes to: a status, or why there is none. The certificate of the server is verified as always. */
function call(
  { name }: DomainDescription,
  client?: { readonly cert: string; readonly key: string },
): Promise<Called> {
  return new Promise((resolve) => {
    const sent = request(
      { host: name, path: '/', method: 'POST', agent: false, timeout: TIMEOUT_MS, ...client },
      (response) => {
        response.resume();
        resolve({ status: response.statusCode ?? 0, error: '' });
      },
    );
    sent.on('timeout', () => sent.destroy(new Error('no answer')));
    sent.on('error', (error: NodeJS.ErrnoException) =>
      resolve({ error: `${error.code ?? ''} ${error.message}` }),
    );
    sent.end();
  });
}
