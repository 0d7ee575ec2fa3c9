import type { GuardFacts } from "./contract/facts.ts";
import { toldNothing, type Told } from "./evidence/attested.ts";

/** Type token of the stack itself, the first resource of every run. */
export const stackType = "pulumi:pulumi:Stack";

/** One resource as the program declared it. Reading a property that is unknown until the update throws. */
export interface Sighting {
  readonly urn: string;
  readonly type: string;
  /** Name in the program; the cloud's name is one of the properties. */
  readonly name: string;
  readonly props: Readonly<Record<string, unknown>>;
}

/** The resources that have registered so far in this run. */
export interface Seen {
  /** Those of one type, in the order in which they came. */
  ofType(type: string): readonly Sighting[];
}

/** What the entry guard says: its facts, and what it was told beside them. */
interface Entry {
  readonly facts: GuardFacts;
  readonly told: Told;
}

/** What the pack remembers between two calls of the engine. Starts afresh with each preview and each update. */
export class Run implements Seen {
  readonly #sightings = new Map<string, Sighting>();
  readonly #live = new Set<string>();
  #entry: Entry | undefined;

  /** Remembers a resource, and forgets the run before when the resource is the stack. */
  see(sighting: Sighting): void {
    if (sighting.type === stackType) {
      this.#sightings.clear();
      this.#live.clear();
      this.#entry = undefined;
    }
    this.#sightings.set(sighting.urn, sighting);
  }

  ofType(type: string): readonly Sighting[] {
    return [...this.#sightings.values()].filter((sighting) => sighting.type === type);
  }

  /** What the entry guard of this run said; undefined before it registered. */
  get entry(): Entry | undefined {
    return this.#entry;
  }

  /** What the entry guard was told beside its facts; nothing before it registered. */
  get told(): Told {
    return this.#entry?.told ?? toldNothing;
  }

  /** Remembers what the entry guard said. */
  enter(entry: Entry): void {
    this.#entry = entry;
  }

  /** Notes that the engine calls the policy in this run, so it was not switched off. */
  markLive(policy: string): void {
    this.#live.add(policy);
  }

  /** Tells whether the policy was called in this run. */
  isLive(policy: string): boolean {
    return this.#live.has(policy);
  }
}
