import { isFilePe } from '../file-pes.ts';
import { TEMPLATE_OIDS, TEMPLATE_VERSIONS } from '../file-templates.ts';
import { templateOid } from '../files.ts';
import type { PeName, ProfileElement } from '../profile-element.ts';
import { elementRule, type RuleGroup } from './rule.ts';

const isTemplated = ({ name }: ProfileElement) => isFilePe(name);

/** The PE whose template has this OID, whatever its version; undefined for OIDs outside the arc. */
function ownerOf(oid: string): PeName | undefined {
  const first = oid.split('.').slice(0, 6).join('.');
  return (Object.keys(TEMPLATE_OIDS) as PeName[]).find((pe) => TEMPLATE_OIDS[pe] === first);
}

function isAssigned(oid: string): boolean {
  const owner = ownerOf(oid);
  if (owner === undefined) return false;
  const [version, ...rest] = oid.split('.').slice(6).map(Number);
  if (version === undefined) return true;
  return rest.length === 0 && version >= 2 && version <= (TEMPLATE_VERSIONS[owner] ?? 1);
}

/** The last version of the format whose templates are known here. */
const KNOWN_VERSION = [3, 3] as const;

/** Template identifiers. */
export const templateRules: RuleGroup = {
  name: 'Templates',
  rules: [
    elementRule({
      id: 'template-oid-assigned',
      clause: 'Annex B',
      text: 'templateID is an OID that was assigned to a template.',
      wayOut: 'Write the OID of the template, such as 2.23.143.1.2.4 for a USIM.',
      of: isTemplated,
      breach: (element, { header: { majorVersion: major, minorVersion: minor } }) => {
        const oid = templateOid(element.fields);
        if (isAssigned(oid)) return undefined;
        const newer = major > KNOWN_VERSION[0] || (major === KNOWN_VERSION[0] && minor > KNOWN_VERSION[1]);
        // the list of versions is read at second hand: a version of a known template may be one of format 3
        const later = ownerOf(oid) !== undefined && major >= KNOWN_VERSION[0];
        return {
          message: `no template has OID ${oid}`,
          element,
          level: newer || later ? 'warning' : 'error',
        };
      },
    }),
    elementRule({
      id: 'template-fits-pe',
      clause: 'Annex B',
      text: 'templateID is that of the PE.',
      wayOut: 'Write the OID of a template of this PE.',
      of: isTemplated,
      breach: (element) => {
        const oid = templateOid(element.fields);
        const owner = ownerOf(oid);
        return owner === undefined || owner === element.name
          ? undefined
          : `template ${oid} is one of the PE ${owner}`;
      },
    }),
  ],
};
