//! The order in which functions that nothing has called are started: callers before the called, as far as names tell.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::core::Symbol;
use crate::resolve::value::FuncRef;

/// A function that may be started.
#[derive(Debug)]
pub(super) struct Candidate {
    /// The function.
    pub func: FuncRef,
    /// Its name; a lambda has none.
    pub name: Option<Symbol>,
    /// It is defined inside of another function: called by whoever got it from there, so what is left of them comes last.
    pub nested: bool,
}

/// Sorts candidates so that one that mentions another one's name comes first. Where they mention each other in a circle,
/// it is opened where the fewest hints say that something calls: a name that many bear says less than one of its own, and
/// a mention in another file less than one in the same.
pub(super) fn callers_first(
    candidates: &[Candidate],
    mentions: &FxHashMap<FuncRef, FxHashSet<Symbol>>,
) -> Vec<FuncRef> {
    let graph = Graph::new(candidates, mentions);
    let mut order = Vec::new();
    let mut todo = vec![(0..graph.edges.len()).collect::<Vec<usize>>()];
    while let Some(nodes) = todo.pop() {
        let functions = nodes.iter().filter(|&&n| n < candidates.len()).count();
        if functions <= 1 {
            order.extend(nodes.into_iter().filter(|&n| n < candidates.len()));
            continue;
        }
        let mut found = components(&graph.edges, &nodes);
        if found.len() > 1 {
            // The last to be found is led to by none of the others: it goes on top.
            todo.append(&mut found);
            continue;
        }
        let opened = graph.weakest(candidates, &nodes);
        todo.push(nodes.into_iter().filter(|n| !opened.contains(n)).collect());
        order.extend(opened);
    }
    let (nested, plain): (Vec<usize>, Vec<usize>) = order.into_iter().partition(|&i| candidates[i].nested);
    plain.into_iter().chain(nested).map(|i| candidates[i].func).collect()
}

/// Nodes are the candidates, then their names. A candidate leads to the names it mentions, a name to whatever bears it.
struct Graph {
    edges: Vec<Vec<usize>>,
}

impl Graph {
    fn new(candidates: &[Candidate], mentions: &FxHashMap<FuncRef, FxHashSet<Symbol>>) -> Self {
        let mut names: FxHashMap<Symbol, usize> = FxHashMap::default();
        let mut edges: Vec<Vec<usize>> = vec![Vec::new(); candidates.len()];
        for (index, candidate) in candidates.iter().enumerate() {
            if let Some(name) = candidate.name {
                let node = *names.entry(name).or_insert_with(|| {
                    edges.push(Vec::new());
                    edges.len() - 1
                });
                edges[node].push(index);
            }
        }
        for (index, candidate) in candidates.iter().enumerate() {
            let Some(mentioned) = mentions.get(&candidate.func) else {
                continue;
            };
            let mut targets: Vec<usize> = mentioned
                .iter()
                .filter(|n| Some(**n) != candidate.name)
                .filter_map(|n| names.get(n).copied())
                .collect();
            targets.sort_unstable();
            edges[index] = targets;
        }
        Self { edges }
    }

    /// The candidates of a circle that the fewest hints say is called; some at once if the circle is large.
    fn weakest(&self, candidates: &[Candidate], nodes: &[usize]) -> Vec<usize> {
        let mut hints: FxHashMap<usize, u32> = FxHashMap::default();
        let funcs: Vec<usize> = nodes.iter().copied().filter(|&n| n < candidates.len()).collect();
        for &from in &funcs {
            let own = candidates[from].func.unit;
            for &name in &self.edges[from] {
                let bearers = &self.edges[name];
                let here = bearers.iter().filter(|&&b| candidates[b].func.unit == own).count();
                let part = |of: usize| FULL / u32::try_from(of).unwrap_or(FULL).max(1);
                for &to in bearers {
                    let near = candidates[to].func.unit == own;
                    *hints.entry(to).or_default() += part(if near { here } else { bearers.len() });
                }
            }
        }
        let key = |index: usize| {
            let private = candidates[index].name.is_some_and(|n| n.as_str().starts_with('_'));
            (hints.get(&index).copied().unwrap_or(0), private, index)
        };
        let mut sorted = funcs;
        sorted.sort_by_cached_key(|&i| key(i));
        let most = sorted.len() / 32 + 1;
        let least = key(sorted[0]).0;
        sorted.into_iter().take(most).filter(|&i| key(i).0 == least).collect()
    }
}

/// The weight of a mention that leaves no doubt.
const FULL: u32 = 1 << 12;

/// The strongly connected components among some nodes of a graph, the ones that are led to first (Tarjan 1972, without
/// recursion).
fn components(edges: &[Vec<usize>], nodes: &[usize]) -> Vec<Vec<usize>> {
    const NEW: usize = usize::MAX;
    const OUTSIDE: usize = usize::MAX - 1;
    let mut index = vec![OUTSIDE; edges.len()];
    for &node in nodes {
        index[node] = NEW;
    }
    let mut low = vec![0; edges.len()];
    let mut on_stack = vec![false; edges.len()];
    let mut stack = Vec::new();
    let mut found = Vec::new();
    let mut next = 0;
    for &root in nodes {
        if index[root] != NEW {
            continue;
        }
        let mut work = vec![(root, 0)];
        while let Some(top) = work.last_mut() {
            let (node, at) = *top;
            if at == 0 {
                index[node] = next;
                low[node] = next;
                next += 1;
                stack.push(node);
                on_stack[node] = true;
            }
            if let Some(&target) = edges[node].get(at) {
                top.1 += 1;
                if index[target] == NEW {
                    work.push((target, 0));
                } else if on_stack[target] {
                    low[node] = low[node].min(index[target]);
                }
                continue;
            }
            work.pop();
            if let Some(&(parent, _)) = work.last() {
                low[parent] = low[parent].min(low[node]);
            }
            if low[node] == index[node] {
                let mut component = Vec::new();
                while let Some(member) = stack.pop() {
                    on_stack[member] = false;
                    component.push(member);
                    if member == node {
                        break;
                    }
                }
                component.sort_unstable();
                found.push(component);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::FuncId;
    use crate::resolve::value::UnitId;

    fn order(functions: &[(&str, &[&str])]) -> Vec<String> {
        let func = |index: usize| FuncRef {
            unit: UnitId(0),
            func: FuncId(u32::try_from(index).unwrap()),
        };
        let candidates: Vec<Candidate> = functions
            .iter()
            .enumerate()
            .map(|(i, (name, _))| Candidate {
                func: func(i),
                name: Some(Symbol::new(name)),
                nested: false,
            })
            .collect();
        let mentions = functions
            .iter()
            .enumerate()
            .map(|(i, (_, names))| (func(i), names.iter().map(|n| Symbol::new(n)).collect()))
            .collect();
        callers_first(&candidates, &mentions)
            .into_iter()
            .map(|f| functions[f.func.0 as usize].0.to_owned())
            .collect()
    }

    #[test]
    fn callers_come_first_also_out_of_a_circle() {
        let found = order(&[
            ("_prepare", &["insert"]),
            ("start", &["_prepare", "stop"]),
            ("stop", &["start"]),
            ("main", &["start"]),
        ]);
        assert_eq!(found, ["main", "start", "stop", "_prepare"]);
    }

    #[test]
    fn a_name_that_two_bear_says_less_than_one_of_its_own() {
        let found = order(&[("do_migration", &["run"]), ("run", &[]), ("run", &["do_migration"])]);
        assert_eq!(found[0], "run");
        assert_eq!(found[1], "do_migration");
    }

    #[test]
    fn one_that_calls_itself_is_no_circle() {
        assert_eq!(order(&[("b", &["b"]), ("a", &["b"])]), ["a", "b"]);
    }
}
