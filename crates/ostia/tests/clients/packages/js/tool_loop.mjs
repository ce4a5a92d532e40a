// What the clients in JavaScript share; the same as ../python/tool_loop.py.

export const TASK = "Weather in Rome, Oslo and Atlantis?";
export const REPORT = "Rome has 21 C, Oslo has 9 C, and Atlantis is not to be found.";
export const INSTRUCTIONS = "You tell the weather.";
const HISTORY_TURNS = 20;
const PIECES_MIN = 2;

export const WEATHER = "The weather in a city.";

export function weather(city) {
  const known = { Rome: "21 C", Oslo: "9 C" };
  if (!known[city]) throw new Error(`no such city: ${city}`);
  return known[city];
}

/** Questions and answers, and the task behind them. */
export function messages() {
  const turns = Array.from({ length: HISTORY_TURNS }, (_, number) => [
    { role: "user", content: `Number ${number}?` },
    { role: "assistant", content: `${number}.` },
  ]);
  return [...turns.flat(), { role: "user", content: TASK }];
}

/** Runs `client(gateway, api, model)`, which gives the pieces of the text that it was shown, for all that is asked. */
export async function run(client) {
  const words = process.argv.slice(2);
  for (let at = 0; at < words.length; at += 3) {
    const [api, gateway, model] = words.slice(at, at + 3);
    console.log(`\n== ${at / 3}: ${await attempt(() => client(gateway, api, model))}`);
  }
  // Some keep connections open.
  process.exit(0);
}

async function attempt(call) {
  try {
    const pieces = await call();
    const text = pieces.join("");
    if (!text.endsWith(REPORT)) throw new Error(`the last words are ${JSON.stringify(text)}`);
    if (pieces.length < PIECES_MIN) throw new Error(`the text came in ${pieces.length} pieces`);
    return "ok";
  } catch (error) {
    return `${error?.stack ?? error}`;
  }
}
