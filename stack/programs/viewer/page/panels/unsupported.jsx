// Stands where a dashboard wants a panel of a type that this viewer has not: it says so, and shows
// the data as a table.
import supported from '../../supported.json';
import { TablePanel } from './table';

const HEAD_PX = 48;

export function UnsupportedPanel(props) {
  const { options, data, height } = props;
  const known = Object.keys(supported.panels).filter((type) => type !== 'row');
  const title = `There are: ${known.join(', ')}.`;
  return (
    <>
      <div
        style={{ height: HEAD_PX, overflow: 'hidden' }}
        title={title}
        data-unsupported={options.type}
      >
        This viewer has no panel of the type “{options.type}”.
        {data.series.length > 0 && ' Its data as a table:'}
      </div>
      {data.series.length > 0 && <TablePanel {...props} options={{}} height={height - HEAD_PX} />}
    </>
  );
}
