import { tlv } from '../../codec/tlv.ts';
import { Refusal } from '../../errors.ts';
import { FILE_SERVICES, serviceAvailable } from './checks/files.ts';
import type { PackageDraft } from './draft.ts';
import { children, contextTag, made, tagNumber } from './element.ts';
import { fileSystemOf, filesNamed } from './file-system.ts';
import { fileImage } from './files.ts';
import { HEADER_SERVICES } from './header.ts';
import type { AkaSite } from './parameters/aka.ts';
import { type FileSite, fileSites } from './parameters/file-site.ts';
import type { ProfilePackage } from './profile-element.ts';
import { ALGORITHM_SERVICES, algorithmService, SERVICES, type ServiceName } from './services.ts';

const serviceNumber = (name: ServiceName) => SERVICES.findIndex((service) => service.name === name);
const ALGORITHM_NUMBERS: readonly number[] = ALGORITHM_SERVICES.map(serviceNumber);

const numbersOf = (services: readonly ServiceName[]) =>
  [...new Set(services)].map(serviceNumber).sort((a, b) => a - b);

/** The algorithms that akaParameters use, as numbers of services, ascending. */
export function algorithmNumbers(sites: readonly AkaSite[]): readonly number[] {
  return numbersOf(sites.map(({ aka }) => algorithmService(aka)));
}

/**
 * eUICC-Mandatory-services follow the algorithms, where these are others than the template's: else an eUICC that
 * cannot compute them would count as eligible.
 */
export function followAlgorithms(
  draft: PackageDraft,
  sites: readonly AkaSite[],
  before: readonly number[],
): void {
  const now = algorithmNumbers(sites.map(({ place, aka }) => ({ place, aka: draft.view(place, aka) })));
  if (now.join() === before.join()) return;
  const listed = draft.field(0, HEADER_SERVICES);
  if (listed === undefined) return;
  const others = children(listed)
    .map(({ tag }) => tagNumber(tag))
    .filter((number) => !ALGORITHM_NUMBERS.includes(number));
  const numbers = [...others, ...now].sort((a, b) => a - b);
  draft.setField(0, made(HEADER_SERVICES, ...numbers.map((number) => tlv(contextTag(number, false)))));
}

/**
 * EF.UST announces the files that personalisation adds to the template, unless a row gives EF.UST itself: a device
 * does not read a file without its service (3GPP TS 31.102 section 4.2.8). `written` are the targets of parameters.
 */
export function announceFiles(
  template: ProfilePackage,
  draft: PackageDraft,
  written: ReadonlySet<string>,
): void {
  const system = fileSystemOf(template);
  const added = FILE_SERVICES.filter(
    ([pes, name]) =>
      filesNamed(system, pes, name).length === 0 &&
      sites(() => fileSites(name, template, pes, name)).some(({ target }) => written.has(target)),
  );
  if (added.length === 0) return;
  for (const table of sites(() => fileSites('ust', template, ['usim', 'iot'], 'ef-ust'))) {
    if (written.has(table.target)) continue;
    const content = Buffer.from(fileImage(table.current(draft)));
    const missing = added
      .map(([, , service]) => service)
      .filter((service) => !serviceAvailable(content, service));
    for (const service of missing) {
      const octet = (service - 1) >>> 3;
      if (octet < content.length) content[octet]! |= 1 << ((service - 1) & 7);
    }
    if (missing.length > 0) table.write(draft, content);
  }
}

/** None where the template has no place for the file. */
function sites(find: () => readonly FileSite[]): readonly FileSite[] {
  try {
    return find();
  } catch (error) {
    if (error instanceof Refusal) return [];
    throw error;
  }
}
