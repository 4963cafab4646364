import type { DepositReview } from "@basil/bundle";

/** One line a deposit, as `show --open` and `promote` print it. */
export function reviewLine({ index, record, status, action, fingerprint }: DepositReview): string {
  const { backend, contributor, epoch, sequence } = record ?? {
    backend: "-",
    contributor: "-",
    epoch: "-",
    sequence: "-",
  };
  return `deposit ${index}: backend=${backend}, contributor=${contributor}, epoch=${epoch}, seq=${sequence}, status=${status}, action=${action}, fingerprint=${fingerprint}`;
}
