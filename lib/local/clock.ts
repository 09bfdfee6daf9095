/** Time as a test sets it: it stands still until it is moved. */
import type { Clock } from '../ports';

export class SettableClock implements Clock {
  constructor(private seconds: number) {}

  now(): number {
    return this.seconds;
  }

  async sleep(seconds: number): Promise<void> {
    this.advance(seconds);
  }

  set(seconds: number): void {
    this.seconds = seconds;
  }

  advance(seconds: number): void {
    this.seconds += seconds;
  }
}
