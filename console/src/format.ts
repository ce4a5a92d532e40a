// Numbers, money and times as they are read: short, aligned, the same everywhere.

const NUMBER = new Intl.NumberFormat("en-US");

export const number = (value: number): string => NUMBER.format(value);

/** `950`, `1.2k`, `34M`. */
export function short(value: number): string {
  for (const [unit, size] of [["G", 1e9], ["M", 1e6], ["k", 1e3]] as const) {
    if (value >= size) return trimmed(value / size) + unit;
  }
  return Number.isInteger(value) ? String(value) : trimmed(value);
}

const trimmed = (value: number): string => value.toFixed(value < 10 ? 1 : 0).replace(/\.0$/, "");

/** Microseconds: `480 µs`, `12.3 ms`, `4.56 s`, `2m 05s`. */
export function micros(us: number): string {
  if (us < 1000) return `${us} µs`;
  return millis(us / 1000);
}

export function millis(ms: number): string {
  if (ms < 10) return `${ms.toFixed(1)} ms`;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(2)} s`;
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)}m ${String(seconds % 60).padStart(2, "0")}s`;
}

export function bytes(count: number): string {
  if (count < 1024) return `${count} B`;
  if (count < 1 << 20) return `${(count / 1024).toFixed(1)} KiB`;
  return `${(count / (1 << 20)).toFixed(1)} MiB`;
}

const SIGNS: Record<string, string> = { USD: "$", EUR: "€", GBP: "£", CNY: "¥" };

/** Money with as many digits as say something: `$0.00035`, `$12.40`. Exact amounts stand in the price sheet. */
export function money(amount: string, currency: string): string {
  const value = Number(amount);
  const sign = SIGNS[currency] ?? `${currency} `;
  if (value === 0) return `${sign}0`;
  if (value >= 1) return sign + value.toFixed(2);
  const digits = Math.min(12, Math.max(2, 3 - Math.ceil(Math.log10(value))));
  // Two digits stay, as people write money.
  return sign + value.toFixed(digits).replace(/(\.\d\d\d*?)0+$/, "$1");
}

/** What a million units cost, of the price of one. */
export const perMillion = (rate: string): string => money(String(Number(rate) * 1e6), "USD");

const pad = (value: number): string => String(value).padStart(2, "0");

/** `14:03:09`, with the day where it is not today. */
export function clock(ms: number): string {
  const date = new Date(ms);
  const time = `${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}`;
  const isToday = date.toDateString() === new Date().toDateString();
  return isToday ? time : `${pad(date.getMonth() + 1)}-${pad(date.getDate())} ${time}`;
}

export function fullTime(ms: number): string {
  const date = new Date(ms);
  const day = `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}`;
  const time = `${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}`;
  return `${day} ${time}.${String(date.getMilliseconds()).padStart(3, "0")}`;
}

/** Exact sum of decimal texts. */
export function sum(amounts: string[]): string {
  const DIGITS = 18;
  let total = 0n;
  for (const amount of amounts) {
    const [whole = "0", behind = ""] = amount.split(".");
    total += BigInt(whole + behind.padEnd(DIGITS, "0").slice(0, DIGITS));
  }
  const text = total.toString().padStart(DIGITS + 1, "0");
  const behind = text.slice(-DIGITS).replace(/0+$/, "");
  return text.slice(0, -DIGITS) + (behind && `.${behind}`);
}

/** Exact product of a decimal text and a count. */
export function times(rate: string, count: number): string {
  const [whole = "0", behind = ""] = rate.split(".");
  const product = (BigInt(whole + behind) * BigInt(count)).toString().padStart(behind.length + 1, "0");
  const at = product.length - behind.length;
  const fraction = product.slice(at).replace(/0+$/, "");
  return product.slice(0, at) + (fraction && `.${fraction}`);
}
