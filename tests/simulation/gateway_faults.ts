/**
 * Faults of one gateway and of its connection.
 * @module
 */

import type { Fault } from "./faults.ts";
import type { Gateway } from "./gateway.ts";

const KINDS = new Set(
  ["cut", "dark", "slow", "loss", "denied", "pause", "kill", "stop", "jump"] as const,
);

type OfGateway = Fault & { readonly kind: typeof KINDS extends Set<infer Kind> ? Kind : never };

/** What a fault needs of the cluster. */
export type Surrounded = {
  /** The simulated time. */
  readonly now: number;
  /** Runs something when the fault ends. */
  readonly later: (run: () => void) => void;
  readonly tell: (text: string) => void;
  /** Puts another gateway in the place of one that is dead. */
  readonly replace: () => void;
};

/** Tells whether a fault befalls a gateway; the others befall the server. */
export function isOfGateway(fault: Fault): fault is OfGateway {
  return (KINDS as ReadonlySet<string>).has(fault.kind);
}

/** Lets something fail. */
export function strikeGateway(
  gateway: Gateway,
  { kind, lasts, decision }: OfGateway,
  { now, later, tell, replace }: Surrounded,
): void {
  const { link, home } = gateway;
  const tellFor = (text: string): void => tell(`${text} for ${lasts} ms`);
  switch (kind) {
    case "cut":
      tellFor("its connection is cut");
      gateway.cut(lasts);
      break;
    case "dark":
      tellFor("its connection carries nothing");
      link.isDark = true;
      later(() => {
        if (link.isDark && !home.isDead) gateway.cut(10);
      });
      break;
    case "slow":
      tellFor("its connection is slow");
      link.slowness = lasts;
      later(() => link.slowness = 0);
      break;
    case "loss":
      tellFor("messages are lost");
      if (decision < 0.7) link.loss["to client"] = decision < 0.3 ? 0.95 : 0.4 * decision;
      if (decision > 0.5) link.loss["to server"] = 0.4 * decision;
      later(() => link.loss["to client"] = link.loss["to server"] = 0);
      break;
    case "denied":
      tellFor("its subscriptions are denied");
      gateway.deny(lasts);
      break;
    case "pause":
      tellFor("it is paused");
      home.pausedUntil = Math.max(home.pausedUntil, now + lasts); // what waits keeps its order
      break;
    case "kill":
    case "stop":
      if (home.isDead) return;
      tellFor(kind === "kill" ? "it is killed" : "it is stopped");
      if (kind === "kill") gateway.kill();
      else gateway.stop();
      later(() => {
        if (!home.isDead) gateway.kill();
        replace();
      });
      break;
    case "jump":
      home.skew += (decision - 0.5) * 7_200_000;
      tell(`its clock is ${home.skew} ms off`);
      break;
  }
}
