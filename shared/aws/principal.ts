import { refuse } from '../errors.ts';

/**
 * Who acts, of the ARN that AWS STS answers (GetCallerIdentity): a role without its session, or a user. The name of a session is chosen
 * by whoever assumes the role, so that it is nobody's word: all sessions of a role are one principal. STS leaves out the path of a
 * role, and so does this. The account itself and what is federated without a role are no person.
 */
export function principalOf(arn: string): string {
  const [, partition, service, account, kind, name] =
    /^arn:(aws[\w-]*):(sts|iam)::(\d{12}):(assumed-role|role|user)\/(.+)$/.exec(arn) ?? [];
  const parts = name?.split('/') ?? [];
  if (service === 'sts' && kind === 'assumed-role' && parts.length === 2)
    return `arn:${partition}:iam::${account}:role/${parts[0]}`;
  if (service === 'iam' && (kind === 'role' || kind === 'user'))
    return `arn:${partition}:iam::${account}:${kind}/${parts.at(-1)}`;
  return refuse('requesterUnknown', `${arn} is neither a role nor a user of IAM, which alone are persons`);
}
