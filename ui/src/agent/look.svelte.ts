/** Something that is asked for when it is to be seen: how that goes, and what came of it. */
export class Look<Value> {
  #ask: () => Promise<Value>;
  #turn = 0;
  /** What was heard last, and when; absent before. */
  seen: { value: Value; at: number } | undefined = $state.raw();
  /** Why the last try failed; absent when it did not. */
  failure: { reason: unknown } | undefined = $state.raw();
  pending = $state(false);

  constructor(ask: () => Promise<Value>) {
    this.#ask = ask;
  }

  /** Takes what was heard in another way; answers to what was asked before are dropped. */
  hear(value: Value): void {
    this.#turn += 1;
    this.pending = false;
    this.seen = { value, at: Date.now() };
    this.failure = undefined;
  }

  /** Asks; an answer to an older question is dropped. */
  async again(): Promise<void> {
    this.#turn += 1;
    const turn = this.#turn;
    this.pending = true;
    try {
      const value = await this.#ask();
      if (turn !== this.#turn) return;
      this.seen = { value, at: Date.now() };
      this.failure = undefined;
    } catch (reason) {
      if (turn === this.#turn) this.failure = { reason };
    } finally {
      if (turn === this.#turn) this.pending = false;
    }
  }
}

/** A look that has begun. */
export function looking<Value>(ask: () => Promise<Value>): Look<Value> {
  const look = new Look(ask);
  void look.again();
  return look;
}
