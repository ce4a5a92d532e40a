// The frame around the pages: where to go, the operator's key, the keys of the keyboard.

import { useEffect, useRef, useState } from "react";
import { Help } from "./help";
import { KeyGate } from "./key_gate";
import { useKeys } from "./keyboard";
import { CachePage } from "./pages/cache/page";
import { ConfigPage } from "./pages/config/page";
import { LivePage } from "./pages/live/page";
import { LogsPage } from "./pages/logs/page";
import { PlaygroundPage } from "./pages/playground/page";
import { ProvidersPage } from "./pages/providers/page";
import { SessionsPage } from "./pages/sessions/page";
import { TracesPage } from "./pages/traces/page";
import { Link } from "./parts/link";
import { go, usePlace } from "./router";
import { type Theme, setTheme, theme } from "./settings";

const PAGES = {
  logs: { label: "Logs", page: LogsPage },
  live: { label: "Live", page: LivePage },
  playground: { label: "Playground", page: PlaygroundPage },
  traces: { label: "Traces", page: TracesPage },
  sessions: { label: "Sessions", page: SessionsPage },
  cache: { label: "Cache", page: CachePage },
  providers: { label: "Providers", page: ProvidersPage },
  config: { label: "Configuration", page: ConfigPage },
} as const;

const isPage = (name: string | undefined): name is keyof typeof PAGES => name !== undefined && Object.hasOwn(PAGES, name);

export function App() {
  const { parts } = usePlace();
  const [help, setHelp] = useState(false);
  const name = parts[0];
  useEffect(() => {
    if (!isPage(name)) go("/logs", true);
    else document.title = `${PAGES[name].label} · Ostia`;
  }, [name]);
  useKeys({ "?": () => setHelp(true) });
  if (!isPage(name)) return null;
  const { page: Page } = PAGES[name];
  return (
    <div className="frame">
      <a className="skip" href="#main">
        Skip to the page
      </a>
      <Nav shown={name} onHelp={() => setHelp(true)} />
      <main id="main" tabIndex={-1}>
        <KeyGate isGuarded={name !== "playground"}>
          <Page />
        </KeyGate>
      </main>
      {help && <Help onClose={() => setHelp(false)} />}
    </div>
  );
}

function Nav({ shown, onHelp }: { shown: string; onHelp: () => void }) {
  const nav = useRef<HTMLElement>(null);
  // On a narrow screen the row of pages scrolls.
  useEffect(() => {
    void nav.current?.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
  }, [shown]);
  return (
    <header className="bar">
      <Link to="/logs" className="brand" aria-label="Ostia">
        <svg viewBox="0 0 16 16" aria-hidden="true">
          <path d="M2 15V7a6 6 0 0 1 12 0v8h-3V7a3 3 0 0 0-6 0v8z" />
        </svg>
        <span>Ostia</span>
      </Link>
      <nav ref={nav} aria-label="Pages">
        {Object.entries(PAGES).map(([name, { label }]) => (
          <Link key={name} to={`/${name}`} aria-current={name === shown ? "page" : undefined}>
            {label}
          </Link>
        ))}
      </nav>
      <div className="tools">
        <ThemeSwitch />
        <button type="button" className="quiet" onClick={onHelp} aria-label="Keys and help">
          ?
        </button>
      </div>
    </header>
  );
}

const THEMES: Record<Theme, { next: Theme; sign: string }> = {
  system: { next: "light", sign: "◐" },
  light: { next: "dark", sign: "○" },
  dark: { next: "system", sign: "●" },
};

function ThemeSwitch() {
  const [shown, setShown] = useState(theme());
  const { next, sign } = THEMES[shown];
  const change = () => {
    setTheme(next);
    setShown(next);
  };
  return (
    <button type="button" className="quiet" onClick={change} title={`Theme: ${shown}`} aria-label={`Theme: ${shown}. Change to ${next}`}>
      {sign}
    </button>
  );
}
