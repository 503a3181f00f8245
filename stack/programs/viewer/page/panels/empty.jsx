// What a panel shows in place of its data: that it has none, or why.

export function Empty({ children, error }) {
  const style = {
    display: 'grid',
    placeItems: 'center',
    height: '100%',
    padding: 8,
    overflow: 'auto',
    textAlign: 'center',
    overflowWrap: 'anywhere',
    opacity: error ? 1 : 0.65,
  };
  return (
    <div style={style} role={error ? 'alert' : 'status'} data-empty={error ? 'error' : 'none'}>
      <span>{children}</span>
    </div>
  );
}

/** Why there is nothing to draw: the source's own words, or the panel's for no value. */
export function NoData({ data, fieldConfig }) {
  const error = data.errors?.[0]?.message ?? data.error?.message;
  return (
    <Empty error={Boolean(error)}>{error ?? fieldConfig?.defaults?.noValue ?? 'No data'}</Empty>
  );
}
