page.tsx
export const f = <T,>(x: T) => <Table<Row> a='don"t' b={<b>it's {import.meta.env.A}</b>}>
  don't // {cond ? <i/> : `x${process.env.API_KEY}`} <></>
</Table>;
