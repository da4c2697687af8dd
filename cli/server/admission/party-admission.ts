import type { IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
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
  readonly transfers: Budget;
}

/** An upload or a download under way. */
export interface AdmittedTransfer {
  /** So many octets were moved: resolves when the next ones may be. */
  pace(octets: number): Promise<void>;
  /** Whether the link may be used has cost so many reads. */
  end(reads: number): void;
}

/** What a party may have at once of what is limited by the second, as seconds of its rate. */
const BURST_SECONDS = 8;

/**
 * Calls of registered parties: so many of each in work at once, so many octets of bodies held by each and by all, and so
 * many octets and reads of each in the long run. What a call has cost is charged when it ends, and the next one waits for
 * it. Transfers have octets of their own, and are slowed down rather than refused.
 */
export class PartyAdmission implements Admission {
  readonly connections: Connections;
  readonly #limits: PartyLimits;
  readonly #bodies: Budget;
  readonly #octets: Rates;
  readonly #reads: Rates;
  readonly #transferred: Rates;
  /** Parties are in the register: there are not many. */
  readonly #shares = new Map<string, Share>();
  /** Calls whose party is known and that are not answered. */
  readonly inWork: SharedCount;

  constructor(limits: PartyLimits, now: () => number, inWork = new SharedCount()) {
    this.inWork = inWork;
    this.connections = new Connections(limits, now);
    this.#limits = limits;
    this.#bodies = new Budget(limits.bodyOctets, 'octets for bodies');
    const rates = (perSecond: number) => new Rates({ perSecond, burst: perSecond * BURST_SECONDS }, now);
    this.#octets = rates(limits.octetsPerSecondPerParty);
    this.#reads = rates(limits.readsPerSecondPerParty);
    this.#transferred = rates(limits.transferOctetsPerSecondPerParty);
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
        const { bodySeconds, waitSeconds } = this.#limits;
        const share = this.#shareOf(party);
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
      end: (octetsOfAnswer, reads) => {
        for (const release of held.reverse()) release();
        if (party === undefined) return;
        this.#octets.charge(party, octetsOfBody + octetsOfAnswer);
        this.#reads.charge(party, reads);
      },
    };
  }

  /** Lets a party use one of its links; refuses with 1.2/6.4 what does not get its turn. */
  async transfer(request: IncomingMessage, party: string): Promise<AdmittedTransfer> {
    this.#admit(request, party);
    const { waitSeconds } = this.#limits;
    const release = await this.#shareOf(party).transfers.take(1, waitSeconds * 1000);
    return {
      pace: async (octets) => {
        this.#transferred.charge(party, octets);
        const ms = this.#transferred.owedMs(party);
        if (ms > 0) await sleep(ms);
      },
      end: (reads) => {
        release();
        this.#reads.charge(party, reads);
      },
    };
  }

  /** What a party has too much of already. */
  #admit({ socket }: IncomingMessage, party: string): void {
    if (!this.connections.identified(socket, party))
      throw busy(`the party has ${this.#limits.connectionsPerParty} connections already`);
    const { octetsPerSecondPerParty, readsPerSecondPerParty } = this.#limits;
    requireWithin(this.#octets, party, `${octetsPerSecondPerParty} octets`);
    requireWithin(this.#reads, party, `${readsPerSecondPerParty} reads`);
  }

  #shareOf(party: string): Share {
    let share = this.#shares.get(party);
    if (share === undefined) {
      const { callsPerParty, bodyOctetsPerParty, transfersPerParty } = this.#limits;
      share = {
        calls: new Budget(callsPerParty, 'calls at once of this party'),
        bodies: new Budget(bodyOctetsPerParty, 'octets for bodies of this party'),
        transfers: new Budget(transfersPerParty, 'transfers at once of this party'),
      };
      this.#shares.set(party, share);
    }
    return share;
  }
}

/** Refuses with 1.1/6.4 a party that owes for what its calls have cost already. */
function requireWithin(rates: Rates, party: string, rate: string): void {
  const seconds = rates.wait(party);
  if (seconds !== undefined)
    refuse('rateExceeded', `more than ${rate} a second; try again in ${seconds} s`, {
      subjectIdentifier: party,
      retryAfterSeconds: seconds,
    });
}
