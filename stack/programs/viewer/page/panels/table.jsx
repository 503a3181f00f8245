import { useState } from 'react';
import { cacheFieldDisplayNames } from '@grafana/data';
import { useTheme2 } from '@grafana/ui';
import { TableNG } from '@grafana/ui/unstable';
import { NoData } from './empty';

const CHOICE_PX = 36;

export function TablePanel({ data, options, width, height, timeRange, fieldConfig }) {
  const [chosen, setChosen] = useState(0);
  const theme = useTheme2();
  const frame = data.series[Math.min(chosen, data.series.length - 1)];
  if (!frame?.fields.length) return <NoData data={data} fieldConfig={fieldConfig} />;
  cacheFieldDisplayNames(data.series); // the only names that the table looks at
  const many = data.series.length > 1;
  const choice = {
    width: '100%',
    height: 32,
    color: 'inherit',
    background: theme.colors.background.secondary,
  };
  return (
    <>
      <TableNG
        data={frame}
        width={width}
        height={height - (many ? CHOICE_PX : 0)}
        noHeader={options.showHeader === false}
        sortBy={options.sortBy}
        cellHeight={options.cellHeight}
        enablePagination={options.footer?.enablePagination ?? options.enablePagination}
        frozenColumns={options.frozenColumns?.left}
        showTypeIcons={options.showTypeIcons}
        timeRange={timeRange}
        structureRev={data.structureRev}
        fieldConfig={fieldConfig}
        transparent
        resizable
      />
      {many && (
        <select
          value={chosen}
          onChange={(change) => setChosen(Number(change.target.value))}
          style={choice}
          aria-label="Table shown"
        >
          {data.series.map((each, at) => (
            <option key={at} value={at}>
              {each.name ?? each.refId ?? at + 1}
            </option>
          ))}
        </select>
      )}
    </>
  );
}
