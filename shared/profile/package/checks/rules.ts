import { akaRules } from './aka.ts';
import { cardinalityRules } from './cardinality.ts';
import { fcpRules } from './fcp.ts';
import { fileDescriptorRules } from './file-descriptor.ts';
import { fileRules } from './files.ts';
import { gfmRules } from './gfm.ts';
import { headerRules } from './header.ts';
import { identityRules } from './identity.ts';
import { iotRules } from './iot.ts';
import { decodedRules } from './malformed.ts';
import { metadataRules } from './metadata.ts';
import { naaRules } from './naa.ts';
import { orderRules } from './order.ts';
import { pinRules } from './pin.ts';
import { pinStatusRules } from './pin-status.ts';
import { pukRules } from './puk.ts';
import { rfmRules } from './rfm.ts';
import type { Rule, RuleGroup } from './rule.ts';
import { securityDomainRules } from './security-domain.ts';
import { serviceRules } from './services.ts';
import { templateRules } from './template.ts';

/** All rules of the profile package, in the order in which they are told. */
export const RULE_GROUPS: readonly RuleGroup[] = [
  decodedRules,
  headerRules,
  orderRules,
  cardinalityRules,
  iotRules,
  naaRules,
  akaRules,
  pinRules,
  pinStatusRules,
  pukRules,
  fcpRules,
  fileDescriptorRules,
  gfmRules,
  templateRules,
  fileRules,
  identityRules,
  securityDomainRules,
  rfmRules,
  serviceRules,
  metadataRules,
];

export const RULES: readonly Rule[] = RULE_GROUPS.flatMap(({ rules }) => rules);
