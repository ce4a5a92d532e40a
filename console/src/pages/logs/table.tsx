// The list: as many rows in the page as are seen, however many there are.

import { useVirtualizer } from "@tanstack/react-virtual";
import { type RefObject, useEffect } from "react";
import type { LogRecord } from "../../api/types";
import { Link } from "../../parts/link";
import type { Column } from "./columns";

const ROW_PX = 30;
const NARROW_ROW_PX = 54;
/** Older requests are asked for so many rows before the end. */
const AHEAD = 30;

interface Props {
  records: LogRecord[];
  columns: Column[];
  isNarrow: boolean;
  /** The request that the keys go from. */
  currentId: string | undefined;
  opened: string | undefined;
  scroller: RefObject<HTMLDivElement | null>;
  to: (record: LogRecord) => string;
  onOlder: () => void;
  onScrolled: (isAtTop: boolean) => void;
}

export function Table({ records, columns, isNarrow, currentId, opened, scroller, to, onOlder, onScrolled }: Props) {
  const rowPx = isNarrow ? NARROW_ROW_PX : ROW_PX;
  const rows = useVirtualizer({
    count: records.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowPx,
    getItemKey: (index) => records[index]?.id ?? index,
    overscan: 12,
  });
  useEffect(() => rows.measure(), [rows, rowPx]);
  const seen = rows.getVirtualItems();
  const last = seen.at(-1)?.index ?? 0;
  useEffect(() => {
    if (last >= records.length - AHEAD) onOlder();
  }, [last, records.length, onOlder]);
  // When another one is chosen, and not when new ones move it down.
  useEffect(() => {
    const at = records.findIndex(({ id }) => id === currentId);
    if (at >= 0) rows.scrollToIndex(at);
  }, [rows, currentId]);
  const tracks = isNarrow ? undefined : columns.map(({ width }) => width).join(" ");
  return (
    <div
      ref={scroller}
      className={isNarrow ? "table narrow-table" : "table"}
      role="table"
      aria-label="Requests"
      aria-rowcount={records.length + 1}
      tabIndex={0}
      onScroll={(event) => onScrolled(event.currentTarget.scrollTop < rowPx)}
    >
      <div role="rowgroup" className="table-head">
        <div role="row" className="row" style={{ gridTemplateColumns: tracks }} aria-rowindex={1}>
          {columns.map(({ id, label, isNumber }) => (
            <div key={id} role="columnheader" className={isNumber ? "number" : undefined}>
              {label}
            </div>
          ))}
        </div>
      </div>
      <div role="rowgroup" className="table-body" style={{ height: rows.getTotalSize() }}>
        {seen.map(({ index, start }) => {
          const record = records[index];
          if (!record) return null;
          return (
            <div
              key={record.id}
              role="row"
              aria-rowindex={index + 2}
              className={rowClass(record.id === currentId, record.id === opened)}
              style={{ gridTemplateColumns: tracks, height: rowPx, transform: `translateY(${start}px)` }}
            >
              {columns.map(({ id, cell, isNumber }, place) => (
                <div key={id} role="cell" className={isNumber ? `cell-${id} number` : `cell-${id}`}>
                  {place === 0 ? (
                    <Link to={to(record)} className="row-link" draggable={false}>
                      {cell(record)}
                    </Link>
                  ) : (
                    cell(record)
                  )}
                </div>
              ))}
            </div>
          );
        })}
      </div>
    </div>
  );
}

function rowClass(isAt: boolean, isOpened: boolean): string {
  return ["row", isAt && "at", isOpened && "opened"].filter(Boolean).join(" ");
}
