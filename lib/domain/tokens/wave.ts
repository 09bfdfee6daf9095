/** A wave: one re-sign run of one tainted kid, in shards, in at least two passes. */

/** What one batch of a pass saw. `found` counts rows that were eligible and had no re-signed version yet. */
export interface ResignCounts {
  readonly found: number;
  readonly resigned: number;
  readonly excluded: Readonly<Record<string, number>>;
}
