/** What is told of something at a glance: its name, its value, and what stands beside that in small letters. */
export type Fact = [name: string, value: string, beside?: string];

export function Facts({ facts, isBusy }: { facts: Fact[]; isBusy?: boolean }) {
  return (
    <dl className="facts" aria-busy={isBusy}>
      {facts.map(([name, value, beside]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>
            {value}
            {beside !== undefined && <small>{beside}</small>}
          </dd>
        </div>
      ))}
    </dl>
  );
}
