// The one data source that Scenes sees. It hands each query to the service that its reference names,
// so that a panel may mix them, and knows no others than this instance's own.
import { FieldType, LoadingState, createDataFrame } from '@grafana/data';
import { setRunRequest } from '@grafana/runtime';
import { RuntimeDataSource, sceneUtils } from '@grafana/scenes';
import { Observable } from 'rxjs';
import { getJson } from '../http';
import { interpolateText } from './interpolate';
import * as loki from './loki';
import * as prometheus from './prometheus';

const SOURCES = { prometheus, loki };
const LAB = { type: 'lab', uid: 'lab' };

/** Who is meant where nobody is named; queries of a mixed panel name theirs. */
const DEFAULT = /^$|^default$|^-- Mixed --$/;

/** What Scenes is given in the place of whatever a dashboard names. */
export const REFERENCE = LAB;

/** The module that answers for a reference: an object, or a name in older dashboards. Names are
 * those of elsewhere: "Prometheus (production)" and `${DS_LOKI}` say well enough what they are. */
function source(request, reference) {
  const named = typeof reference === 'string' ? reference : reference?.uid || reference?.type || '';
  const uid = interpolateText(request, named);
  if (DEFAULT.test(uid)) return prometheus;
  const type = typeof reference === 'object' ? reference?.type : '';
  const name = !type && Object.keys(SOURCES).find((each) => uid.toLowerCase().includes(each));
  const known = SOURCES[uid.toLowerCase()] ?? SOURCES[type] ?? SOURCES[name];
  if (!known) throw new Error(`There is no data source \`${uid}\` here: prometheus and loki are.`);
  return known;
}

class Lab extends RuntimeDataSource {
  constructor() {
    super(LAB.type, LAB.uid);
    this.annotations = {
      prepareAnnotation: (annotation) => annotation,
      prepareQuery: (annotation) => ({ refId: 'Anno', annotation }),
    };
  }

  async query(request, signal) {
    const wanted = request.targets.filter((target) => !target.hide);
    const found = await Promise.all(
      wanted.map((target) =>
        target.annotation
          ? annotationFrames(request, target.annotation, signal)
          : target.expr
            ? source(request, target.reference).query(request, target, signal)
            : [],
      ),
    );
    return { data: found.flat() };
  }

  async metricFindQuery(asked, options) {
    const { reference, query } = asked;
    const found = await source(options, reference).values(options, query);
    return found.map((text) => ({ text, value: text }));
  }
}

async function annotationFrames(request, annotation, signal) {
  const uid = annotation.reference?.uid ?? annotation.reference ?? '';
  const own = annotation.builtIn || /^(-- )?grafana( --)?$/i.test(uid);
  const events = own
    ? await kept(request, annotation, signal)
    : await source(request, annotation.reference).annotations?.(request, annotation, signal);
  if (!events?.length) return [];
  const column = (name, type) => ({ name, type, values: events.map((event) => event[name]) });
  return [
    createDataFrame({
      fields: [
        column('id', FieldType.number),
        column('time', FieldType.time),
        column('timeEnd', FieldType.time),
        column('title', FieldType.string),
        column('text', FieldType.string),
        column('tags', FieldType.other),
      ],
    }),
  ];
}

/** What the service itself keeps of annotations: Grafana's HTTP API, "Annotations". */
async function kept(request, annotation, signal) {
  const asked = { from: request.range.from.valueOf(), to: request.range.to.valueOf() };
  const target = annotation.target ?? {};
  const of =
    target.type === 'tags' ? { tags: target.tags } : { dashboardUID: annotation.dashboardUID };
  const events = await getJson(
    '/api/annotations',
    { ...asked, ...of, limit: target.limit },
    { signal },
  );
  return events.map((event) => ({
    ...event,
    timeEnd: event.timeEnd || event.time,
    tags: event.tags ?? [],
  }));
}

sceneUtils.registerRuntimeDataSource({ dataSource: new Lab() });

setRunRequest(
  (dataSource, request) =>
    new Observable((observer) => {
      const aborting = new AbortController();
      const common = { annotations: [], timeRange: request.range, request };
      observer.next({ ...common, state: LoadingState.Loading, series: [] });
      dataSource.query(request, aborting.signal).then(
        ({ data }) => {
          observer.next({ ...common, state: LoadingState.Done, series: data });
          observer.complete();
        },
        (error) => {
          if (aborting.signal.aborted) return;
          const errors = [{ message: error.message, status: error.status }];
          observer.next({
            ...common,
            state: LoadingState.Error,
            series: [],
            errors,
            error: errors[0],
          });
          observer.complete();
        },
      );
      return () => aborting.abort();
    }),
);
