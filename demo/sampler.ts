/** Presents the forged token and a recorded one, over and over, from the webhook to the close, to a service with our verifier. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Feed } from '../lib/domain/feed/feed';
import { codeOf } from './checks';

interface Sample {
  /** State of the legacy key in the feed as published at the time. */
  readonly state: string;
  /** For how long the feed had said so, in seconds: a verifier is promised to know after one poll, not sooner. */
  readonly forSeconds: number;
  readonly forged: string;
  readonly genuine: string;
}

export interface SampledService {
  verify(token: string): Promise<unknown>;
  readFeed(): Promise<Feed>;
}

const EVERY_MS = 250;

export class Sampler {
  readonly samples: Sample[] = [];
  private seen = { state: '', at: 0 };
  private running: Promise<void> | undefined;
  private stopped = false;

  constructor(
    private readonly service: SampledService,
    private readonly kid: string,
    private readonly tokens: { readonly forged: string; readonly genuine: string },
  ) {}

  start(): void {
    this.running = this.run();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await this.running;
  }

  private async run(): Promise<void> {
    while (!this.stopped) {
      const before = await this.stateNow();
      if (before !== this.seen.state) this.seen = { state: before, at: Date.now() };
      const forSeconds = (Date.now() - this.seen.at) / 1000;
      const [forged, genuine] = await Promise.all([this.ask(this.tokens.forged), this.ask(this.tokens.genuine)]);
      // Only where the feed said the same before and after do both answers belong to one state.
      if ((await this.stateNow()) === before) this.samples.push({ state: before, forSeconds, forged, genuine });
      await pause(EVERY_MS);
    }
  }

  private async stateNow(): Promise<string> {
    const feed = await this.service.readFeed();
    return feed.keys.find(({ kid }) => kid === this.kid)?.state ?? 'absent';
  }

  private async ask(token: string): Promise<string> {
    try {
      await this.service.verify(token);
      return 'ok';
    } catch (error) {
      return codeOf(error);
    }
  }
}
