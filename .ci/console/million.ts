/** An order of a million profiles, as `ops.getOrder`, `ops.listProfiles` and `ops.findProfile` answer it: for the browser alone. */
export const MILLION = 'MILLION-1';
const QUANTITY = 1_000_000;
const header = { functionExecutionStatus: { status: 'Executed-Success' } };

interface Asked {
  readonly orderId?: string;
  readonly iccid?: string;
  readonly from?: number;
  readonly limit?: number;
}

/** The ICCID at a position: 89991 and thirteen digits, with a last one that tells it apart. */
const iccidOf = (position: number) => `899910000000${String(position).padStart(6, '0')}7`;

const profileOf = (position: number) => ({
  position,
  iccid: iccidOf(position),
  state: position % 3 === 0 ? 'Installed' : 'Available',
});

const ORDER = {
  header,
  orderId: MILLION,
  operator: '2.999.60',
  profileType: 'generic',
  state: 'Open',
  quantity: QUANTITY,
  prepared: QUANTITY,
  createdAt: '2026-11-01T08:00:00Z',
  counts: { Available: 666_666, Installed: 333_334 },
  requesterDms: ['2.999.50'],
  days: Array.from({ length: 27 }, (_, day) => ({
    day: `2026-11-${String(day + 1).padStart(2, '0')}`,
    changes: day === 0 ? { Available: QUANTITY } : { Available: -12_821, Installed: 12_821 },
  })),
};

/** Undefined for everything else, which the server answers. */
export function answerMillion(url: string, asked: Asked): object | undefined {
  if (url.endsWith('/findProfile') && asked.iccid?.startsWith('899910000000')) {
    const position = Number(asked.iccid.slice(12, 18));
    return asked.iccid === iccidOf(position)
      ? { header, orderId: MILLION, ...profileOf(position), history: [] }
      : undefined;
  }
  if (asked.orderId !== MILLION) return undefined;
  if (url.endsWith('/getOrder')) return ORDER;
  if (!url.endsWith('/listProfiles')) return undefined;
  const { from = 0, limit = 100 } = asked;
  const last = Math.min(QUANTITY, from + limit);
  return {
    header,
    profiles: Array.from({ length: Math.max(0, last - from) }, (_, i) => profileOf(from + i)),
  };
}
