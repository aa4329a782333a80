/**
 * Drivers of the versions model: every interleaving of a scenario, or random schedules with faults.
 * @module
 */

import type { Random } from "../simulation/random.ts";
import type { AnyRule } from "./versions_rules.ts";
import { another, type Group, type Scenario } from "./versions_scenarios.ts";
import { System } from "./versions_system.ts";
import { judge } from "./versions_verdict.ts";
import type { Request } from "./versions_world.ts";

/** What a driver found. */
export type Exploration = {
  readonly runs: number;
  /** What is wrong in the last run, and the requests that lead there. */
  readonly violation: string | undefined;
  readonly trace: readonly string[];
};

/**
 * Runs every interleaving of a scenario's clients, each with one operation, except those that differ only in the order of
 * steps that do not affect each other (sleep sets).
 */
export function exploreAll(scenario: Scenario, broken?: AnyRule): Exploration {
  let runs = 0;
  let found: { violation: string; trace: string[] } | undefined;
  const replay = (prefix: readonly number[]): System => {
    const system = new System(scenario, broken);
    for (const index of prefix) system.step(index);
    return system;
  };
  const descend = (given: System, prefix: number[], asleep: readonly number[]): void => {
    let system = given;
    const { enabled } = system;
    if (enabled.length === 0 || system.violation !== undefined) {
      runs++;
      const violation = judge(system);
      if (violation !== undefined) {
        found ??= { violation, trace: traceOf(scenario, broken, prefix) };
      }
      return;
    }
    const explored = [...asleep];
    const pending = system.clients.map(({ pending }) => pending);
    for (const index of enabled) {
      if (asleep.includes(index)) continue;
      if (found !== undefined) return;
      system ??= replay(prefix);
      const next = [...prefix, index];
      const isFirst = system.steps === prefix.length;
      const child = isFirst ? system : replay(prefix);
      child.step(index);
      const stillAsleep = explored.filter((other) => isIndependent(pending[other], pending[index]));
      descend(child, next, stillAsleep);
      explored.push(index);
    }
  };
  descend(replay([]), [], []);
  return { runs, violation: found?.violation, trace: found?.trace ?? [] };
}

/** Runs every interleaving of any two operations of a group, with groups of either size. Stops at a violation. */
export function exploreGroup({ operations, ...key }: Group, broken?: AnyRule): Exploration {
  let runs = 0;
  for (const isSmall of [true, false]) {
    for (const [i, one] of operations.entries()) {
      for (const other of operations.slice(i)) {
        const programs = [[one], [another(other)]];
        const found = exploreAll({ ...key, programs, isSmall }, broken);
        runs += found.runs;
        if (found.violation === undefined) continue;
        const trace = [found.violation, JSON.stringify(programs), ...found.trace];
        return { runs, violation: found.violation, trace };
      }
    }
  }
  return { runs, violation: undefined, trace: [] };
}

function traceOf(
  scenario: Scenario,
  broken: AnyRule | undefined,
  choices: readonly number[],
): string[] {
  const system = new System(scenario, broken);
  return choices.map((index) => {
    const request = JSON.stringify(system.clients[index]?.pending);
    system.step(index);
    return `${index}: ${request} ${system.world.sequence}`;
  });
}

/** Tells whether two requests of different clients lead to the same state in either order. */
function isIndependent(left: Request | undefined, right: Request | undefined): boolean {
  if (left === undefined || right === undefined) return true;
  const [one, other] = [subjectOf(left), subjectOf(right)];
  if (one.isWrite && other.isWrite) return one.group !== undefined && other.group !== undefined;
  if (!one.isWrite && !other.isWrite) return true;
  const [reading, writing] = one.isWrite ? [other, one] : [one, other];
  return !reading.subjects.some((subject) =>
    writing.subjects.some((other) => other.startsWith(subject) || subject.startsWith(other))
  );
}

type Touched = {
  readonly isWrite: boolean;
  /** Beginnings of the subjects that a request touches; "" is all. */
  readonly subjects: readonly string[];
  /** The group whose bytes it stores. */
  readonly group?: string;
};

function subjectOf(request: Request): Touched {
  switch (request.kind) {
    case "read":
      return { isWrite: false, subjects: [request.subject] };
    case "names":
      return { isWrite: false, subjects: [request.prefix] };
    case "bytes":
      return { isWrite: false, subjects: [`C:${request.group}`] };
    case "mode":
      return { isWrite: false, subjects: ["mode"] };
    case "time":
      return { isWrite: false, subjects: ["time"] };
    case "list":
    case "next":
    case "groups":
      return { isWrite: false, subjects: [""] };
    case "publish":
      return { isWrite: true, subjects: [request.subject] };
    case "batch":
      return { isWrite: true, subjects: request.messages.map(({ subject }) => subject) };
    case "store":
      return { isWrite: true, subjects: [`C:${request.group}`], group: request.group };
    case "purge":
    case "erase":
    case "setMode":
    case "wait":
      return { isWrite: true, subjects: [""] };
  }
}

/** Probabilities of faults in a random run. */
export type Faults = {
  readonly unanswered: number;
  readonly crash: number;
  readonly expiry: number;
};

/** Runs one random schedule. */
export function exploreAtRandom(
  scenario: Scenario,
  random: Random,
  faults: Faults,
  broken?: AnyRule,
): {
  readonly violation: string | undefined;
  readonly steps: number;
  readonly trace: readonly string[];
} {
  const system = new System(scenario, broken);
  const trace: string[] = [];
  while (system.violation === undefined) {
    const { enabled } = system;
    const count = enabled.length + system.late.length;
    if (count === 0) break;
    const choice = random.below(count);
    if (faults.expiry > 0 && random.chance(faults.expiry)) system.expire();
    const index = enabled[choice];
    if (index === undefined) {
      const late = choice - enabled.length;
      const isLost = random.chance(0.3);
      trace.push(`late ${isLost ? "lost" : ""} ${JSON.stringify(system.late[late]?.messages)}`);
      system.land(late, isLost);
      continue;
    }
    const request = JSON.stringify(system.clients[index]?.pending);
    const kind = system.clients[index]?.pending?.kind;
    const isPublish = kind === "publish" || kind === "batch";
    const isNative = system.clients[index]?.call?.operation.kind === "native";
    if (faults.crash > 0 && random.chance(faults.crash)) {
      const isSent = random.chance(0.7);
      trace.push(`${index}: ${isSent ? "crashes after" : "crashes before"} ${request}`);
      system.crash(index, isSent);
    } else if (isPublish && !isNative && random.chance(faults.unanswered)) {
      const fault = random.chance(0.5) ? "lost answer" : "delayed";
      trace.push(`${index}: ${fault} ${request}`);
      system.step(index, fault);
    } else {
      system.step(index);
      trace.push(`${index}: ${request} ${system.world.sequence}`);
    }
  }
  return { violation: judge(system), steps: system.steps, trace };
}
