import type { IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { readBody } from '../read-body.ts';
import type { Admission, AdmittedCall } from './admission.ts';
import { Budget, busy, type Release } from './budget.ts';
import { addressOf, Connections } from './connections.ts';
import type { FieldLimits } from './limits.ts';
import { Rates } from './rates.ts';
import type { SharedCount } from './shared-count.ts';

const ALL = 'all';

/**
 * Notifications of devices in the field, which anybody can send: small, a few a second from each address, and in work one
 * after the other. While calls of parties are in work each one stands back for a moment, so that signatures from the
 * field are never checked in a row before a party's call.
 */
export class FieldAdmission implements Admission {
  readonly connections: Connections;
  readonly #limits: FieldLimits;
  readonly #perAddress: Rates;
  readonly #all: Rates;
  readonly #bodies: Budget;
  readonly #calls: Budget;
  readonly #partiesInWork: SharedCount;

  constructor(limits: FieldLimits, now: () => number, partiesInWork: SharedCount) {
    this.connections = new Connections(limits, now);
    this.#limits = limits;
    const { callsPerSecondPerAddress, callsPerSecond } = limits;
    this.#perAddress = new Rates(
      { perSecond: callsPerSecondPerAddress, burst: callsPerSecondPerAddress * 2 },
      now,
    );
    this.#all = new Rates({ perSecond: callsPerSecond, burst: callsPerSecond * 2 }, now);
    this.#bodies = new Budget(limits.bodyOctets, 'octets for notifications');
    this.#calls = new Budget(limits.callsAtOnce, 'turns of notifications');
    this.#partiesInWork = partiesInWork;
  }

  open(request: IncomingMessage): AdmittedCall {
    const held: Release[] = [];
    const { bodySeconds, waitSeconds, standBackMs } = this.#limits;
    return {
      readBody: async (limit) => {
        const seconds = this.#perAddress.take(addressOf(request.socket)) ?? this.#all.take(ALL);
        if (seconds !== undefined) throw busy('there are too many notifications', seconds);
        const announced = Number(request.headers['content-length'] ?? limit);
        if (announced > limit) return undefined;
        held.push(await this.#bodies.take(announced, waitSeconds * 1000));
        const body = await readBody(request, limit, bodySeconds * 1000);
        if (body === undefined) return undefined;
        held.push(await this.#calls.take(1, waitSeconds * 1000));
        if (this.#partiesInWork.value > 0) await sleep(standBackMs);
        return body;
      },
      end: () => {
        for (const release of held.reverse()) release();
      },
    };
  }
}
