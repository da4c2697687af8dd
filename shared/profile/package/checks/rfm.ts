import type { ProfileElement } from '../profile-element.ts';
import { decodeRfm, type Rfm, tarOfAid } from '../rfm.ts';
import type { CheckedPackage } from './checked-package.ts';
import { type RuleGroup, rule } from './rule.ts';

interface Instance {
  readonly element: ProfileElement;
  readonly rfm: Rfm;
}
const rfms = (checked: CheckedPackage): readonly Instance[] =>
  checked.named('rfm').map((element) => ({ element, rfm: decodeRfm(element.fields) }));
const element = ({ element: pe }: Instance) => pe;

function tarsOf({ tars, instanceAid }: Rfm): readonly string[] {
  const own = instanceAid && tarOfAid(instanceAid);
  return tars ?? (own === undefined ? [] : [own]);
}

/** Remote file management. */
export const rfmRules: RuleGroup = {
  name: 'Remote file management',
  rules: [
    rule({
      id: 'rfm-after-adf',
      clause: '8.8',
      text: 'A PE rfm that names an ADF follows it.',
      wayOut: 'Move the PE rfm behind the ADF.',
      subjects: (checked) => rfms(checked).filter(({ rfm }) => rfm.adfAid !== undefined),
      breach: ({ element: pe, rfm }, checked) => {
        const place = checked.placeOf(pe);
        const adf = checked.adfs.find((other) => checked.aidOf(other) === rfm.adfAid);
        return adf !== undefined && adf.place > place
          ? `the PE rfm stands before its ADF ${rfm.adfAid}`
          : undefined;
      },
      element,
    }),
    rule({
      id: 'rfm-adf-known',
      clause: '8.8',
      text: 'The ADF that a PE rfm names is one of the package.',
      wayOut: 'Name the AID of an ADF of the package, or leave adfRFMAccess out: then the MF is selected.',
      subjects: (checked) => rfms(checked).filter(({ rfm }) => rfm.adfAid !== undefined),
      breach: ({ rfm }, checked) =>
        checked.adfs.some((adf) => checked.aidOf(adf) === rfm.adfAid)
          ? undefined
          : `no ADF of the package has AID ${rfm.adfAid}`,
      element,
    }),
    rule({
      id: 'rfm-tar-list-filled',
      clause: '8.8',
      text: 'A tarList is not empty.',
      wayOut: 'Add a TAR of three octets, or leave tarList out: then the TAR is in the instance AID.',
      subjects: (checked) => rfms(checked).filter(({ rfm }) => rfm.tars !== undefined),
      breach: ({ rfm }) => (rfm.tars?.length === 0 ? 'the tarList is empty' : undefined),
      element,
    }),
    rule({
      id: 'rfm-tar-reachable',
      clause: '8.8',
      level: 'warning',
      text: 'Without a tarList, the instance AID has its TAR in octets 13 to 15.',
      wayOut:
        'Add a tarList, or an instance AID of at least 15 octets: nothing can reach the instance otherwise.',
      subjects: (checked) => rfms(checked).filter(({ rfm }) => rfm.tars === undefined),
      breach: ({ rfm }) => (tarsOf(rfm).length === 0 ? 'the PE rfm has no TAR' : undefined),
      element,
    }),
    rule({
      id: 'rfm-aid-tar-unique',
      clause: '8.8',
      text: 'No two instances of remote file management have one AID or one TAR.',
      wayOut: 'Give each instance an AID and TARs of its own.',
      subjects: rfms,
      breach: ({ element: pe, rfm }, checked) => {
        const others = rfms(checked).filter((other) => checked.placeOf(other.element) < checked.placeOf(pe));
        if (others.some((other) => other.rfm.instanceAid === rfm.instanceAid))
          return `another PE rfm has AID ${rfm.instanceAid}`;
        const own = tarsOf(rfm);
        const taken = own.find(
          (tar, i) => own.indexOf(tar) < i || others.some((other) => tarsOf(other.rfm).includes(tar)),
        );
        return taken === undefined ? undefined : `TAR ${taken} is taken`;
      },
      element,
    }),
  ],
};
