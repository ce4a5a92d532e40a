import { type ReactNode, useEffect, useRef } from "react";

/** Something behind a button, until somebody clicks elsewhere or presses Escape. */
export function Menu({ label, className = "", children }: { label: string; className?: string; children: ReactNode }) {
  const menu = useRef<HTMLDetailsElement>(null);
  useEffect(() => {
    const close = (event: Event) => {
      const isInside = event.target instanceof Node && menu.current?.contains(event.target);
      const isEscape = event instanceof KeyboardEvent && event.key === "Escape";
      if (menu.current && (event instanceof KeyboardEvent ? isEscape : !isInside)) menu.current.open = false;
    };
    addEventListener("pointerdown", close);
    addEventListener("keydown", close);
    return () => {
      removeEventListener("pointerdown", close);
      removeEventListener("keydown", close);
    };
  }, []);
  return (
    <details ref={menu} className={`menu ${className}`}>
      <summary>{label}</summary>
      {children}
    </details>
  );
}
