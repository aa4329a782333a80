/**
 * Random requests for a nats-server and for JetStream in memory, and a comparison of what both answer.
 * @module
 */

import { connect } from "@nats-io/transport-node";
import { headers as createHeaders, type NatsConnection } from "@nats-io/nats-core";
import { startNatsServer } from "../../scripts/nats_server.ts";
import { headerText } from "../../src/nats/jetstream/message_headers.ts";
import { JetStream } from "./jetstream/jetstream.ts";
import { Network, type SimulatedConnection } from "./network.ts";
import { Random } from "./random.ts";
import { randomRequest, type Request } from "./random_requests.ts";

/** An answer as text, without what differs between two servers. */
type Answer = string;

/** A request that both did not answer in the same way. */
export type Difference = {
  readonly number: number;
  readonly request: Request;
  readonly real: readonly Answer[];
  readonly simulated: readonly Answer[];
};

/** Milliseconds to wait for an answer. */
const TIMEOUT = 4000;
/** Milliseconds without a message after which a push consumer has pushed everything. */
const QUIET = 60;
const MAX_PAYLOAD = 1024 * 1024;

/** Sends requests to both and returns the differences. */
export async function compare(
  { seed, count, limit = 5 }: {
    readonly seed: number;
    readonly count: number;
    /** Differences after which it stops. */
    readonly limit?: number;
  },
): Promise<readonly Difference[]> {
  await using server = await startNatsServer();
  const real = await connect({ servers: server.url });
  await using simulation = simulate(seed);
  const simulated = simulation.connection.asLibrary;
  const random = new Random(seed);
  const differences: Difference[] = [];
  try {
    for (let number = 1; number <= count && differences.length < limit; number++) {
      const request = randomRequest(random);
      const [one, other] = await Promise.all([ask(real, request), ask(simulated, request)]);
      if (one.join("\n") !== other.join("\n")) {
        differences.push({ number, request, real: one, simulated: other });
      }
    }
  } finally {
    await real.close();
  }
  return differences;
}

function simulate(seed: number): AsyncDisposable & { readonly connection: SimulatedConnection } {
  const random = new Random(seed + 1);
  const timers = new Set<ReturnType<typeof setTimeout>>();
  const network = new Network((_connection, _way, run) => queueMicrotask(run), MAX_PAYLOAD);
  const jetStream = new JetStream({
    clock: {
      now: () => Date.now(),
      after(milliseconds, run) {
        const timer = setTimeout(() => {
          timers.delete(timer);
          run();
        }, milliseconds);
        timers.add(timer);
        return () => {
          timers.delete(timer);
          clearTimeout(timer);
        };
      },
    },
    random: () => random.next(),
    send: (message) => network.fromServer(message),
    hasInterest: (subject) => network.hasInterest(subject),
  });
  network.serve(jetStream);
  const connection = network.connect("client");
  return {
    connection,
    async [Symbol.asyncDispose]() {
      await connection.close();
      for (const timer of timers) clearTimeout(timer);
    },
  };
}

/** Sends a request and returns all its answers. */
async function ask(connection: NatsConnection, request: Request): Promise<readonly Answer[]> {
  const inbox = `_INBOX.differential.${crypto.randomUUID()}`;
  const answers: Answer[] = [];
  const over = Promise.withResolvers<void>();
  let quiet: ReturnType<typeof setTimeout> | undefined;
  const isPushed = request.ends === "quiet";
  const timer = setTimeout(() => {
    answers.push("unanswered");
    over.resolve();
  }, TIMEOUT);
  const subscription = connection.subscribe(inbox, {
    callback(error, message) {
      if (error !== null) throw error;
      const text = headerText(message);
      if (/^NATS\/1\.0 100/.test(text)) return; // heartbeats come at their own time
      answers.push(
        describe(
          text,
          message.data,
          message.subject === inbox ? "" : message.subject,
          message.reply ?? "",
          inbox,
        ),
      );
      if (isPushed) {
        clearTimeout(quiet);
        quiet = setTimeout(over.resolve, QUIET);
      } else if (request.ends === "one" || /^NATS\/1\.0 \d/.test(text)) over.resolve();
    },
  });
  const { subject, data, headers } = request;
  const options = headers === undefined ? {} : { headers: headersOf(headers) };
  connection.publish(subject, data.replaceAll("%INBOX%", inbox), {
    reply: request.ends === "none" ? "" : inbox,
    ...options,
  });
  if (request.ends === "none") over.resolve();
  if (isPushed) quiet = setTimeout(over.resolve, QUIET);
  await over.promise;
  clearTimeout(timer);
  clearTimeout(quiet);
  subscription.unsubscribe();
  // What is pushed may overtake the answer that the consumer was made.
  return isPushed
    ? answers.sort((a, b) => Number(a.startsWith("{")) - Number(b.startsWith("{")))
    : answers;
}

function headersOf(lines: Readonly<Record<string, string>>) {
  const headers = createHeaders();
  for (const [name, value] of Object.entries(lines)) headers.set(name, value);
  return headers;
}

/** Times and names that only one server has. */
const MASKED = new Set([
  "created",
  "ts",
  "time",
  "first_ts",
  "last_ts",
  "last_active",
  "alternates",
  "cluster",
  "ack_floor",
  "num_waiting",
  "push_bound",
  "paused",
]);
const ZERO = "0001-01-01T00:00:00Z";
const decoder = new TextDecoder();

function describe(
  headers: string,
  data: Uint8Array,
  deliveredAs: string,
  reply: string,
  inbox: string,
): Answer {
  const lines = headers.split("\r\n").filter((line) => line !== "")
    .map((line) => line.startsWith("Nats-Time-Stamp:") ? "Nats-Time-Stamp: masked" : line);
  const [status = "", ...rest] = lines;
  const text = decoder.decode(data);
  const parts = [status.trim(), ...rest, deliveredAs, maskReply(reply)].filter((part) =>
    part !== ""
  );
  return `${parts.join(" | ")} ${readable(text, inbox)}`.trim();
}

/**
 * `$JS.ACK.stream.consumer.deliveries.stream sequence.consumer sequence.time.pending`, without the time and what is pending,
 * because nats-server may count too much after messages were replaced.
 */
function maskReply(reply: string): string {
  if (!reply.startsWith("$JS.ACK.")) return "";
  const tokens = reply.split(".");
  tokens[7] = "time";
  tokens[8] = "pending";
  return tokens.join(".");
}

function readable(text: string, inbox: string): string {
  if (!text.startsWith("{")) {
    return text.length > 100 ? `${text.slice(0, 100)}… of ${text.length}` : text;
  }
  const masked = JSON.parse(text, (name, value) => {
    if (MASKED.has(name)) return value === ZERO ? ZERO : undefined;
    if (name === "metadata" && typeof value === "object" && value !== null) {
      const kept = Object.entries(value).filter(([key]) => !key.startsWith("_nats."));
      return kept.length === 0 ? undefined : Object.fromEntries(kept);
    }
    if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
    return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
  return JSON.stringify(masked).replaceAll(inbox, "%INBOX%");
}
