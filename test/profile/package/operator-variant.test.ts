import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../../../shared/codec/bytes.ts';
import { milenageOpc, tuakTopc } from '../../../shared/profile/package/operator-variant.ts';
import milenage from '../../vectors/milenage.json' with { type: 'json' };
import tuak from '../../vectors/tuak.json' with { type: 'json' };

describe('OPc and TOPc are computed as 3GPP says', () => {
  it.each(milenage.sets)('MILENAGE (TS 35.207) OPc $opc', ({ k, op, opc }) => {
    expect(toHex(milenageOpc(fromHex(k), fromHex(op)))).toBe(opc);
  });
  it.each(tuak.sets)(
    'TUAK (TS 35.233) TOPc $topc, $iterations iterations',
    ({ k, top, topc, iterations }) => {
      expect(toHex(tuakTopc(fromHex(k), fromHex(top), iterations))).toBe(topc);
    },
  );
  it('no test set is left out', () => {
    expect([milenage.sets.length, tuak.sets.length]).toEqual([3, 6]);
  });
});
