import { refuse } from '../../../errors.ts';
import { present } from '../../../present.ts';
import type { Personalisation } from '../../../service/api/es2f.ts';
import {
  type Check,
  integer,
  list,
  object,
  oneOf,
  openObject,
  optional,
  pattern,
  required,
  text,
} from '../../check.ts';
import { eligibility } from '../../eligibility.ts';
import { base64, httpsUrl, orderId, transferId } from '../../fields.ts';
import { partyFunction } from '../../interface-function.ts';
import { orderMembers } from '../../order-members.ts';
import { inlineOrObject } from '../../transferred.ts';

const common = {
  keys: optional(oneOf('generate', 'template')),
  constants: optional(textMembers),
  deriveIsim: optional(truth),
};

const rules = object({
  ...common,
  iccidStart: required(pattern(/^[0-9]{18,19}$/, 'an ICCID of 18 or 19 digits without its Luhn digit')),
  imsiStart: optional(pattern(/^[0-9]{6,15}$/, 'an IMSI of 6 to 15 digits')),
});

const rowsOfOperator = object({ ...common, format: required(oneOf('csv', 'jsonl', 'jwe')) });

/** By rules, or from rows, which have a format. */
const personalisation: Check<Personalisation> = (value, path) =>
  Object.hasOwn(openObject(value, path), 'format') ? rowsOfOperator(value, path) : rules(value, path);

function textMembers(value: unknown, path: string): Readonly<Record<string, string>> {
  const members = openObject(value, path);
  for (const [name, member] of Object.entries(members))
    if (typeof member !== 'string')
      refuse('protocolFormat', `${path} has a member ${JSON.stringify(name.slice(0, 40))} that is not text`);
  return members as Readonly<Record<string, string>>;
}

function truth(value: unknown, path: string): boolean {
  return typeof value === 'boolean' ? value : refuse('protocolFormat', `${path} is not true or false`);
}

/** How many profiles each device manufacturer may have. */
function shares(value: unknown, path: string): Readonly<Record<string, number>> {
  const count = integer(0, 10_000_000);
  return Object.fromEntries(
    Object.entries(openObject(value, path)).map(([maker, share]) => [maker, count(share, path)]),
  );
}

/** Members of a JWK that only a private or symmetric key has (RFC 7518 section 6; `priv` of AKP keys). */
const PRIVATE_JWK_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv'];

function publicJwk(value: unknown, path: string): Readonly<Record<string, unknown>> {
  const jwk = openObject(value, path);
  if (PRIVATE_JWK_MEMBERS.some((name) => Object.hasOwn(jwk, name))) {
    refuse('protocolFormat', `${path} is a private key; send its public half and replace the key`);
  }
  return jwk;
}

/** Text of certificates in PEM, a CA or a few: what is in it, the order's own check says. */
const pem = pattern(/^[\x20-\x7e\r\n]{1,8192}$/, 'PEM of 8,192 characters at most');

const body = object({
  orderId: required(orderId),
  profileType: required(text(64)),
  quantity: required(integer(1, 10_000_000)),
  requesterDms: required(list(text(128), { min: 1, max: 64 })),
  shares: optional(shares),
  template: optional(base64),
  transferId: optional(transferId),
  rows: optional(base64),
  rowsTransferId: optional(transferId),
  personalisation: required(personalisation),
  eligibility: required(eligibility),
  metadata: required(openObject),
  outputKey: optional(publicJwk),
  expectedEuiccs: optional(list(base64, { min: 1, max: 16 })),
  callbackUrl: optional(httpsUrl),
  callbackCa: optional(pem),
  callbackBatch: optional(integer(1, 100)),
});

/** ES2f.prepareProfiles: an order for `quantity` profiles made from one template. */
export const prepareProfiles = partyFunction({
  path: 'es2f.prepareProfiles',
  role: 'operator',
  reaches: ['order', 'transfer'],
  transfers: ['template', 'rows'],
  needs: { vault: 'write', ppks: true, keys: ['wrapping', 'intake'], dispatcher: true },
  wholeCore: true,
  body,
  subject: (input) => ({ orderId: input.orderId }),
  async call(services, caller, { template, transferId, rows, rowsTransferId, ...order }) {
    const upp = await inlineOrObject(
      services,
      caller,
      { name: 'template', purpose: 'template' },
      template,
      transferId,
    );
    if (rows !== undefined && rowsTransferId !== undefined)
      refuse('protocolFormat', 'the body has at most one of rows and rowsTransferId');
    const file =
      rows ??
      (rowsTransferId === undefined
        ? undefined
        : await services.transfers.receivedObject(caller, rowsTransferId, 'rows'));
    const answer = await services.orders.prepareProfiles(caller, {
      ...order,
      template: upp,
      ...present({ rows: file }),
    });
    return { members: orderMembers(answer) };
  },
});
