import type { IncomingMessage } from 'node:http';
import { invariant, refuse } from '../../../shared/errors.ts';
import { readBody } from '../read-body.ts';
import type { Admission, AdmittedCall } from './admission.ts';
import { Budget, busy, type Release } from './budget.ts';
import { Connections } from './connections.ts';
import type { PartyLimits } from './limits.ts';
import { Rates } from './rates.ts';
import { SharedCount } from './shared-count.ts';

/** What the calls of one party hold together. */
interface Share {
  readonly calls: Budget;
  readonly bodies: Budget;
}

/** Octets that a party may move at once, as seconds of its rate. */
const OCTET_BURST_SECONDS = 8;

/**
 * Calls of registered parties: so many of each in work at once, so many octets of bodies held by each and by all, and so
 * many moved by each in the long run. What a call has moved is charged when it ends, and the next one waits for it.
 */
export class PartyAdmission implements Admission {
  readonly connections: Connections;
  readonly #limits: PartyLimits;
  readonly #bodies: Budget;
  readonly #octets: Rates;
  /** Parties are in the register: there are not many. */
  readonly #shares = new Map<string, Share>();
  /** Calls whose party is known and that are not answered. */
  readonly inWork = new SharedCount();

  constructor(limits: PartyLimits, now: () => number) {
    this.connections = new Connections(limits, now);
    this.#limits = limits;
    this.#bodies = new Budget(limits.bodyOctets, 'octets for bodies');
    const perSecond = limits.octetsPerSecondPerParty;
    this.#octets = new Rates({ perSecond, burst: perSecond * OCTET_BURST_SECONDS }, now);
  }

  open(request: IncomingMessage): AdmittedCall {
    const held: Release[] = [];
    let party: string | undefined;
    let octetsOfBody = 0;
    return {
      readBody: async (limit, caller) => {
        invariant(caller !== undefined, 'parties call here');
        party = caller.identifier;
        this.#admit(request, party);
        const { callsPerParty, bodySeconds, waitSeconds } = this.#limits;
        const share = this.#shareOf(party, callsPerParty);
        held.push(await share.calls.take(1, waitSeconds * 1000));
        this.inWork.add(1);
        held.push(() => this.inWork.add(-1));
        const announced = Number(request.headers['content-length'] ?? limit);
        if (announced > limit) return undefined;
        held.push(await share.bodies.take(announced, waitSeconds * 1000));
        held.push(await this.#bodies.take(announced, waitSeconds * 1000));
        const body = await readBody(request, limit, bodySeconds * 1000);
        octetsOfBody = body?.length ?? limit;
        return body;
      },
      end: (octetsOfAnswer) => {
        for (const release of held.reverse()) release();
        if (party !== undefined) this.#octets.charge(party, octetsOfBody + octetsOfAnswer);
      },
    };
  }

  /** What a party has too much of already. */
  #admit({ socket }: IncomingMessage, party: string): void {
    const { connectionsPerParty, octetsPerSecondPerParty } = this.#limits;
    if (!this.connections.identified(socket, party))
      throw busy(`the party has ${connectionsPerParty} connections already`);
    const seconds = this.#octets.wait(party);
    if (seconds !== undefined)
      refuse(
        'rateExceeded',
        `more than ${octetsPerSecondPerParty} octets a second; try again in ${seconds} s`,
        { subjectIdentifier: party, retryAfterSeconds: seconds },
      );
  }

  #shareOf(party: string, callsPerParty: number): Share {
    let share = this.#shares.get(party);
    if (share === undefined) {
      share = {
        calls: new Budget(callsPerParty, 'calls at once of this party'),
        bodies: new Budget(this.#limits.bodyOctetsPerParty, 'octets for bodies of this party'),
      };
      this.#shares.set(party, share);
    }
    return share;
  }
}
