/**
 * Bits of NotificationEvent (SGP.22 section 2.4a.1.2 and annex H), bit 0 first. v3 renames 1 to 3 *local* enable,
 * disable and delete, and adds the rest.
 */
export const NOTIFICATION_EVENTS = [
  'install',
  'enable',
  'disable',
  'delete',
  'rpmEnable',
  'rpmDisable',
  'rpmDelete',
  'loadRpmPackageResult',
] as const;

export type NotificationEvent = (typeof NOTIFICATION_EVENTS)[number];
