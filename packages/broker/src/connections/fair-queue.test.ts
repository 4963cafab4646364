import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FairQueue, type Flow } from "./fair-queue.js";

class Work implements Flow {
  constructor(
    readonly name: string,
    public left: number,
    readonly done: string[],
  ) {}

  get ready(): boolean {
    return this.left > 0;
  }

  work(budget: number): number {
    const used = Math.min(budget, this.left);
    this.left -= used;
    this.done.push(this.name);
    return used;
  }
}

describe("FairQueue", () => {
  it("serves a flow that becomes ready before flows that have used their quantum", () => {
    const done: string[] = [];
    const queue = new FairQueue<Work>(10);
    for (const name of ["a", "b", "c"]) queue.add(new Work(name, 1000, done));
    for (let n = 0; n < 6; n++) queue.work(100);
    queue.add(new Work("light", 1, done));
    queue.work(100);
    expect(done.at(-1)).toBe("light");
  });

  it("gives no precedence to a flow that is ready again at once", () => {
    const done: string[] = [];
    const queue = new FairQueue<Work>(10);
    const heavy = new Work("heavy", 1000, done);
    queue.add(heavy);
    queue.work(100);
    const again = new Work("again", 1, done);
    queue.add(again);
    for (let n = 0; n < 100; n++) {
      queue.work(100);
      again.left = 1;
      queue.add(again);
    }
    const [used, others] = [1000 - heavy.left, done.filter((name) => name === "again").length];
    expect(used).toBeGreaterThanOrEqual(others - 10);
  });

  it("is empty when no flow has work, and forgets a removed one", () => {
    const done: string[] = [];
    const queue = new FairQueue<Work>(10);
    const [a, b] = [new Work("a", 5, done), new Work("b", 50, done)];
    queue.add(a);
    queue.add(b);
    queue.remove(b);
    while (queue.ready) queue.work(100);
    expect([a.left, b.left, new Set(done)]).toEqual([0, 50, new Set(["a"])]);
  });

  it("divides work evenly between flows that always have some, and does all of it", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 500 }), { minLength: 1, maxLength: 20 }), (amounts) => {
        const queue = new FairQueue<Work>(10);
        const flows = amounts.map((amount, n) => new Work(String(n), amount, []));
        for (const flow of flows) queue.add(flow);
        while (queue.ready) {
          queue.work(1000);
          const used = flows.flatMap(({ left }, n) => (left > 0 ? [(amounts[n] as number) - left] : []));
          expect(Math.max(0, ...used) - Math.min(...used, Math.max(0, ...used))).toBeLessThanOrEqual(20);
        }
        expect(flows.every(({ left }) => left === 0)).toBe(true);
      }),
    );
  });
});
