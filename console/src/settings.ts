// What the browser keeps for the operator: keys until the tab is closed, everything else for good.

const ADMIN = "ostia.admin-key";
const GATEWAY = "ostia.gateway-key";

export const adminKey = (): string => sessionStorage.getItem(ADMIN) ?? "";
export const gatewayKey = (): string => sessionStorage.getItem(GATEWAY) ?? "";

export function setAdminKey(key: string): void {
  store(sessionStorage, ADMIN, key);
}

export function setGatewayKey(key: string): void {
  store(sessionStorage, GATEWAY, key);
}

export type Theme = "system" | "light" | "dark";

export function theme(): Theme {
  const kept = localStorage.getItem("ostia.theme");
  return kept === "light" || kept === "dark" ? kept : "system";
}

export function setTheme(theme: Theme): void {
  store(localStorage, "ostia.theme", theme === "system" ? "" : theme);
  showTheme();
}

/** Puts the theme where the style sheet looks for it. */
export function showTheme(): void {
  const chosen = theme();
  if (chosen === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = chosen;
}

/** A value that was kept, or what stands in its place where there is none that can be read. */
export function kept<T>(name: string, otherwise: T): T {
  try {
    const text = localStorage.getItem(`ostia.${name}`);
    return text === null ? otherwise : (JSON.parse(text) as T);
  } catch {
    return otherwise;
  }
}

export function keep(name: string, value: unknown): void {
  store(localStorage, `ostia.${name}`, JSON.stringify(value));
}

function store(where: Storage, name: string, text: string): void {
  try {
    if (text) where.setItem(name, text);
    else where.removeItem(name);
  } catch {
    // A browser may keep nothing; the console works without.
  }
}
