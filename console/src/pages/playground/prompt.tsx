// What is asked.

import { type ClipboardEvent, type DragEvent, useEffect, useState } from "react";
import { type Prompt, type Said, type Tool, toolsOf } from "./formats";

/** Largest picture, in bytes: it is sent as text, which is a third longer. */
const PICTURE_BYTES_MAX = 8 << 20;

interface Props {
  prompt: Prompt;
  onPrompt: (prompt: Prompt) => void;
  onSend: () => void;
}

export function PromptForm({ prompt, onPrompt, onSend }: Props) {
  const set = (change: Partial<Prompt>) => onPrompt({ ...prompt, ...change });
  const setTurn = (at: number, text: string) => set({ turns: prompt.turns.map((turn, index) => (index === at ? { ...turn, text } : turn)) });
  const add = () => {
    const role: Said["role"] = prompt.turns.at(-1)?.role === "user" ? "assistant" : "user";
    set({ turns: [...prompt.turns, { role, text: "" }] });
  };
  const takePictures = (files: Iterable<File>) => {
    const pictures = [...files].filter(({ type, size }) => /^image\/(png|jpeg|gif|webp)$/.test(type) && size <= PICTURE_BYTES_MAX);
    void Promise.all(pictures.map(dataUrl)).then((urls) => set({ images: [...prompt.images, ...urls] }));
    return pictures.length > 0;
  };
  const drop = (event: DragEvent) => {
    event.preventDefault();
    takePictures(event.dataTransfer.files);
  };
  const paste = (event: ClipboardEvent) => {
    if (takePictures(event.clipboardData.files)) event.preventDefault();
  };
  return (
    <div className="prompt card" onDragOver={(event) => event.preventDefault()} onDrop={drop} onPaste={paste}>
      <label>
        System
        <textarea rows={2} value={prompt.system} onChange={(event) => set({ system: event.target.value })} placeholder="What the model is to be (may stay empty)" />
      </label>
      <div className="turns">
        {prompt.turns.map(({ role, text }, index) => (
          <label key={index}>
            <span className="said-by">
              {role === "user" ? "User" : "Assistant"}
              {index > 0 && index === prompt.turns.length - 1 && (
                <button type="button" className="quiet small" onClick={() => set({ turns: prompt.turns.slice(0, -1) })} aria-label="Take the last turn away">
                  ✕
                </button>
              )}
            </span>
            <textarea
              rows={index === prompt.turns.length - 1 ? 4 : 2}
              value={text}
              onChange={(event) => setTurn(index, event.target.value)}
              onKeyDown={(event) => {
                if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) onSend();
              }}
            />
          </label>
        ))}
      </div>
      <div className="actions">
        <button type="button" className="small" onClick={add}>
          Add a turn
        </button>
        <label className="button small">
          Add a picture
          <input type="file" accept="image/png,image/jpeg,image/gif,image/webp" multiple className="hidden-text" onChange={(event) => takePictures(event.target.files ?? [])} />
        </label>
      </div>
      {prompt.images.length > 0 && (
        <ul className="pictures" aria-label="Pictures">
          {prompt.images.map((url, index) => (
            <li key={index}>
              <img src={url} alt={`Picture ${index + 1}`} />
              <button type="button" onClick={() => set({ images: prompt.images.filter((_, other) => other !== index) })} aria-label={`Take picture ${index + 1} away`}>
                ✕
              </button>
            </li>
          ))}
        </ul>
      )}
      <div className="pair">
        <NumberField label="Most tokens" value={prompt.maxTokens} step={1} onValue={(maxTokens) => set({ maxTokens })} />
        <NumberField label="Temperature" value={prompt.temperature} step={0.1} onValue={(temperature) => set({ temperature })} />
      </div>
      <Tools tools={prompt.tools} onTools={(tools) => set({ tools })} />
    </div>
  );
}

const EXAMPLE = `[{"name": "weather", "description": "...", "parameters": {"type": "object"}}]`;

/** Functions that the model may call, as JSON: one list for all formats. */
function Tools({ tools, onTools }: { tools: Tool[]; onTools: (tools: Tool[]) => void }) {
  const laidOut = tools.length === 0 ? "" : JSON.stringify(tools, null, 2);
  const [written, setWritten] = useState(laidOut);
  const read = toolsOf(written);
  // Another prompt may come with tools of its own.
  useEffect(() => {
    if (JSON.stringify(toolsOf(written)) !== JSON.stringify(tools)) setWritten(laidOut);
  }, [laidOut]);
  return (
    <details open={tools.length > 0}>
      <summary>Tools{tools.length > 0 && ` (${tools.length})`}</summary>
      <textarea
        rows={5}
        value={written}
        onChange={(event) => {
          setWritten(event.target.value);
          const told = toolsOf(event.target.value);
          if (told) onTools(told);
        }}
        placeholder={EXAMPLE}
        aria-label="Tools, a list as JSON"
        aria-invalid={read === null}
        spellCheck={false}
      />
      {read === null && <p className="attempt-error">That is no list of tools: {EXAMPLE}</p>}
    </details>
  );
}

function NumberField({ label, value, step, onValue }: { label: string; value: number | null; step: number; onValue: (value: number | null) => void }) {
  return (
    <label>
      {label}
      <input type="number" min={0} step={step} value={value ?? ""} placeholder="the model's own" onChange={(event) => onValue(event.target.value === "" ? null : Number(event.target.value))} />
    </label>
  );
}

function dataUrl(file: File): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result));
    reader.onerror = () => reject(new Error("The picture cannot be read."));
    reader.readAsDataURL(file);
  });
}
