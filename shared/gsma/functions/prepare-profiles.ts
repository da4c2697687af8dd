import { refuse } from '../../errors.ts';
import { integer, list, object, oneOf, openObject, optional, pattern, required, text } from '../check.ts';
import { eligibility } from '../eligibility.ts';
import { base64, httpsUrl, orderId, transferId } from '../fields.ts';
import { type FunctionBinding, inlineOrTransferred } from '../function-binding.ts';
import { orderMembers } from '../order-members.ts';

const personalisation = object({
  iccidStart: required(pattern(/^[0-9]{18,19}$/, 'an ICCID of 18 or 19 digits without its Luhn digit')),
  imsiStart: optional(pattern(/^[0-9]{6,15}$/, 'an IMSI of 6 to 15 digits')),
  keys: optional(oneOf('generate', 'template')),
});

/** Members of a JWK that only a private or symmetric key has (RFC 7518 section 6). */
const PRIVATE_JWK_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'];

function publicJwk(value: unknown, path: string): Readonly<Record<string, unknown>> {
  const jwk = openObject(value, path);
  if (PRIVATE_JWK_MEMBERS.some((name) => Object.hasOwn(jwk, name))) {
    refuse('protocolFormat', `${path} is a private key; send its public half and replace the key`);
  }
  return jwk;
}

const body = object({
  orderId: required(orderId),
  profileType: required(text(64)),
  quantity: required(integer(1, 10_000_000)),
  requesterDms: required(list(text(128), { min: 1, max: 64 })),
  template: optional(base64),
  transferId: optional(transferId),
  personalisation: required(personalisation),
  eligibility: required(eligibility),
  metadata: required(openObject),
  outputKey: optional(publicJwk),
  callbackUrl: optional(httpsUrl),
});

/** ES2f.prepareProfiles: an order for `quantity` profiles made from one template. */
export const prepareProfiles: FunctionBinding<ReturnType<typeof body>> = {
  name: 'prepareProfiles',
  body,
  subject: (input) => ({ orderId: input.orderId }),
  async call(services, caller, { template, transferId, ...order }) {
    const upp = await inlineOrTransferred(services, caller, 'template', template, transferId);
    const answer = await services.orders.prepareProfiles(caller, { ...order, template: upp });
    return { members: orderMembers(answer) };
  },
};
