"""Names that libraries dropped, put back for old scripts: tried with the libraries as they are installed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow  # the real libraries, each in a process of its own

# Of each: what an old script writes (an expression, after statements), what comes out, and what the log must say.
PYTHON = [
    (
        "import collections; collections.MutableMapping.__name__",
        "MutableMapping",
        "collections.MutableMapping was removed",
    ),
    ("from collections import Iterable; isinstance([], Iterable)", True, "collections.Iterable"),
    ("import time; time.clock() >= 0", True, "time.clock was removed in Python 3.8; put back as time.perf_counter"),
    ("from fractions import gcd; gcd(4, 6)", 2, "fractions.gcd"),
    ("import inspect; inspect.getargspec(lambda a, b=1: 0).args", ["a", "b"], "inspect.getargspec"),
    ("import base64; base64.encodestring(b'a').decode()", "YQ==\n", "base64.encodestring"),
    ("import cgi; [cgi.escape('<\">'), cgi.escape('\"', True)]", ['&lt;"&gt;', "&quot;"], "cgi.escape was removed"),
    (
        "import asyncio; wait = asyncio.coroutine(lambda: (yield from asyncio.sleep(0, 3))); asyncio.run(wait())",
        3,
        "asyncio.coroutine was removed in Python 3.11",
    ),
    ("import asyncio; asyncio.run(asyncio.coroutine(lambda: 4)())", 4, ""),
    ("import threading; threading.current_thread().isAlive()", True, "Thread.isAlive"),
]
NUMPY = [
    ("np.float(1) + np.int(2) + np.bool(1)", 4.0, "np.float was removed in NumPy 1.24; put back as float"),
    ("np.zeros(1, dtype=np.object).dtype.name", "object", "np.object"),
    ("[np.str(1), np.complex(1).real, np.unicode('a')]", ["1", 1.0, "a"], "np.str"),
    (
        "[np.isnan(np.NaN).item(), np.Inf, np.NINF]",
        [True, float("inf"), float("-inf")],
        "np.NaN was removed in NumPy 2.0",
    ),
    ("[np.float_(1).item(), np.bool8(1).item(), np.unicode_('a') + '']", [1.0, True, "a"], "np.float_"),
    ("[np.product([2, 3]).item(), np.alltrue([1]).item(), np.trapz([1, 1]).item()]", [6, True, 1.0], "np.product"),
    ("np.asscalar(np.array([5]))", 5, "np.asscalar"),
    ("[np.asfarray([1]).dtype.name, np.msort(np.array([2, 1])).tolist()]", ["float64", [1, 2]], "np.asfarray"),
    ("np.in1d([1, 2], [2]).tolist()", [False, True], "np.in1d"),
    ("np.math.sqrt(4)", 2.0, "np.math"),
    ("hasattr(np, 'no_such_name')", False, ""),
    (
        "[np.cast['int32']([1.5]).dtype.name, np.cast[float](1).item()]",
        ["int32", 1.0],
        "np.cast was removed in NumPy 2.0",
    ),
    ("[bool(np.MachAr().eps == np.finfo(float).eps), bool(np.MachAr().xmax > 1e308)]", [True, True], "np.MachAr"),
]
PANDAS = [
    ("[str(df.dtypes['b']), df['b'].dtype == object]", ["object", True], "columns of text"),
    ("df.append({'a': 9.0, 'b': 'w'}, ignore_index=True)['a'].tolist()", [1.0, 2.0, 3.0, 9.0], "DataFrame.append"),
    ("pd.DataFrame().append({'x': 1}, ignore_index=True).append(pd.DataFrame({'x': [2]})).x.tolist()", [1, 2], ""),
    ("df.a.append(pd.Series([4.0])).tolist()", [1.0, 2.0, 3.0, 4.0], "Series.append"),
    ("[name for name, _ in df.iteritems()]", ["a", "b"], "DataFrame.iteritems"),
    ("[df.ix[0, 'a'], df.ix[df.a > 2, 'b'].tolist()]", [1.0, ["z"]], "DataFrame.ix"),
    ("df.drop('a', 1).columns.tolist()", ["b"], "DataFrame.drop takes axis"),
    ("df.sort_values('a', 0, False)['a'].tolist()", [3.0, 2.0, 1.0], "DataFrame.sort_values"),
    ("df.applymap(str).shape", [3, 2], "DataFrame.applymap"),
    ("df.as_matrix(['a']).shape", [3, 1], "DataFrame.as_matrix"),
    ("pd.concat([df, df], 1).shape", [3, 4], "concat takes axis"),
    ("holes.fillna(method='ffill')['a'].tolist()", [1.0, 1.0], "fillna(method=)"),
    ("holes['a'].fillna(0, inplace=True); holes.a.tolist()", [1.0, 0.0], "changing a column in place"),
    ("holes['a'][0] = 7; holes.a.tolist()", [7.0, 0.0], ""),
    ("holes.a.loc[1] = 8; holes['a'].tolist()", [7.0, 8.0], ""),
    ("df['b'].replace('x', 'q', inplace=True); df.b.tolist()", ["q", "y", "z"], ""),
    ("old = holes['a']; holes['a'] = 5.0; old[0] = 1; holes.a.tolist()", [5.0, 5.0], ""),
    ("taken = df[['a']]; taken['a'][0] = 99; df.a.tolist()", [1.0, 2.0, 3.0], ""),
    ("[df.mean().tolist(), df.corr().shape]", [[2.0], [1, 1]], "DataFrame.mean fails on columns of text"),
    ("df.groupby('b').mean().shape", [3, 1], ""),
    ("str(pd.get_dummies(df.b).dtypes.iloc[0])", "uint8", "get_dummies gives True and False"),
    ("hours.resample('2H').sum().tolist()", [3, 3], "the frequency '2H'"),
    ("len(pd.date_range('2020-01-01', periods=2, freq='M'))", 2, "the frequency 'M'"),
    ("pd.read_csv(io.StringIO('a;b\\n1;2'), ';', error_bad_lines=False).shape", [1, 2], "read_csv(error_bad_lines=)"),
    ("pd.read_csv(io.StringIO('a b\\n1  2'), delim_whitespace=True).shape", [1, 2], "read_csv(delim_whitespace=)"),
    ("pd.read_csv(io.StringIO('1\\n2'), header=None, squeeze=True).sum().item()", 3, "read_csv(squeeze=)"),
    ("df.to_csv(line_terminator='|')[:5]", ",a,b|", "DataFrame.to_csv(line_terminator=)"),
    ("pd.np.array([1]).tolist()", [1], "pd.np"),
    ("pd.datetime.now().year > 2000", True, "pd.datetime"),
    ("pd.value_counts(['a', 'a'])['a'].item()", 2, "pd.value_counts"),
    ("from pandas.io.json import json_normalize; json_normalize({'a': 1}).shape", [1, 1], ""),
    ("pd.Series(hours.index).dt.weekofyear.tolist()", [1, 1, 1], "weekofyear was removed in pandas 2.0"),
    ("[str(pd.Series(hours.index).dt.week.dtype), hours.index.week.tolist()]", ["int64", [1, 1, 1]], ""),
    ("pd.to_datetime(pd.Series(['2020-12-31', None])).dt.week.fillna(0).tolist()", [53.0, 0.0], ""),
    ("pd.Series([1, 2]).is_monotonic", True, "is_monotonic"),
]
SKLEARN = [
    ("from sklearn.externals import joblib; joblib.__name__", "joblib", "the module sklearn.externals.joblib was removed"),
    ("import sklearn.externals.joblib as j; j.dump.__module__", "joblib.numpy_pickle", ""),
    ("from sklearn.externals.six import StringIO; StringIO('a').read()", "a", "sklearn.externals.six"),
    ("from sklearn.cross_validation import train_test_split; len(train_test_split([1, 2]))", 2, "sklearn.cross_validation"),
    ("from sklearn.linear_model.logistic import LogisticRegression as L; L.__name__", "LogisticRegression", ""),
    ("RandomForestClassifier(5, max_features='auto').fit(X, y).max_features", "sqrt", "max_features='auto'"),
    ("RandomForestRegressor(5, max_features='auto', criterion='mse').fit(X, y).criterion", "squared_error", "criterion='mse'"),
    ("GradientBoostingRegressor(loss='ls', n_estimators=2).fit(X, y).loss", "squared_error", "loss='ls'"),
    ("GradientBoostingClassifier(loss='deviance', n_estimators=2).fit(X, y).loss", "log_loss", "loss='deviance'"),
    ("SGDClassifier(loss='log').fit(X, y).loss", "log_loss", "loss='log'"),
    ("LogisticRegression(penalty='none').fit(X, y).penalty", None, "penalty='none'"),
    ("LogisticRegression(multi_class='ovr').fit(X, y).score(X, y) > 0.9", True, "LogisticRegression(multi_class=)"),
    ("LogisticRegression(solver='liblinear').fit(X, y).score(X, y) > 0.9", True, "solver='liblinear'"),
    ("LogisticRegression(solver='liblinear').fit(X, y).predict_proba(X).sum(axis=1).round(6).min().item()", 1.0, ""),
    ("LinearRegression(normalize=True).fit(X, y).score(X, y) > 0.5", True, "LinearRegression(normalize=)"),
    ("OneHotEncoder(sparse=False).fit_transform([[1], [2]]).tolist()", [[1.0, 0.0], [0.0, 1.0]], "OneHotEncoder(sparse=)"),
    ("AdaBoostClassifier(base_estimator=LogisticRegression(), n_estimators=2).fit(X, y).estimator.__class__.__name__",
     "LogisticRegression", "AdaBoostClassifier(base_estimator=)"),
    ("KMeans(2, n_jobs=2).fit(X).n_clusters", 2, "KMeans(n_jobs=)"),
    ("GridSearchCV(RandomForestClassifier(2), {'max_features': ['auto']}, cv=2, iid=True).fit(X, y).best_params_",
     {"max_features": "auto"}, "GridSearchCV(iid=)"),
    ("CountVectorizer().fit(['bb aa']).get_feature_names()", ["aa", "bb"], "CountVectorizer.get_feature_names"),
    ("round(sklearn.metrics.mean_squared_error([1, 2], [2, 4], squared=False), 2)", 1.58, "mean_squared_error(squared=)"),
    ("sklearn.metrics.plot_confusion_matrix(LogisticRegression().fit(X, y), X, y).__class__.__name__",
     "ConfusionMatrixDisplay", "sklearn.metrics.plot_confusion_matrix"),
    ("'accuracy' in sklearn.metrics.SCORERS", True, "sklearn.metrics.SCORERS"),
    ("from sklearn.preprocessing import Imputer; Imputer(missing_values='NaN').fit(X).strategy", "mean", "Imputer"),
    ("import sklearn.base; sklearn.base.clone(OneHotEncoder(sparse=True)).sparse_output", True, ""),
]  # fmt: skip
OTHERS = [
    ("import scipy.integrate; scipy.integrate.simps([1, 1, 1]).item()", 2.0, "scipy.integrate.simps"),
    ("from scipy.stats import binom_test; binom_test(5, 10)", 1.0, "scipy.stats.binom_test"),
    ("from scipy.misc import comb; comb(4, 2).item()", 6.0, "scipy.misc.comb was removed"),
    ("import scipy; scipy.interp(1.5, [1, 2], [1, 2]).item()", 1.5, "scipy.interp"),
    ("from scipy.signal import gaussian; len(gaussian(5, 1))", 5, "scipy.signal.gaussian"),
    ("import matplotlib.cm as cm; cm.get_cmap('viridis').name", "viridis", "matplotlib.cm.get_cmap"),
    ("import matplotlib.pyplot as plt; plt.style.use('seaborn-whitegrid')", None, ""),
    ("plt.gca().grid(b=True)", None, "grid(b=)"),
    ("matplotlib.use('Agg', warn=False, force=True)", None, "matplotlib.use(warn=)"),
    ("matplotlib.use('Agg', False)", None, ""),
    (
        "fig = plt.figure(); ax = fig.gca(projection='3d'); [ax.name, fig.gca(projection='3d') is ax, fig.gca() is ax]",
        ["3d", True, True],
        "gca(projection=)",
    ),
    ("plt.figure(); [plt.gca(projection='polar').name, plt.gca().name]", ["polar", "polar"], ""),
]
SETUPS = {
    "python": "",
    "numpy": "import numpy as np",
    "pandas": (
        "import io, pandas as pd\n"
        "df = pd.DataFrame({'a': [1.0, 2.0, 3.0], 'b': ['x', 'y', 'z']})\n"
        "holes = pd.DataFrame({'a': [1.0, None]})\n"
        "hours = pd.Series([1, 2, 3], index=pd.date_range('2020-01-01', periods=3, freq='h'))"
    ),
    "sklearn": (
        "import matplotlib; matplotlib.use('Agg')\n"
        "import sklearn.metrics\n"
        "from sklearn.datasets import load_iris\n"
        "from sklearn.ensemble import *\n"
        "from sklearn.linear_model import *\n"
        "from sklearn.cluster import KMeans\n"
        "from sklearn.feature_extraction.text import CountVectorizer\n"
        "from sklearn.model_selection import GridSearchCV\n"
        "from sklearn.preprocessing import OneHotEncoder\n"
        "X, y = load_iris(return_X_y=True)"
    ),
    "others": "import matplotlib; matplotlib.use('Agg')",
}
SNIPPETS = {"python": PYTHON, "numpy": NUMPY, "pandas": PANDAS, "sklearn": SKLEARN, "others": OTHERS}
CASES = [(library, number) for library, snippets in SNIPPETS.items() for number in range(len(snippets))]

_answers: dict[str, tuple[list[Any], str]] = {}


def run_script(folder: Path, script: str, **variables: str) -> subprocess.CompletedProcess[str]:
    (folder / "script.py").write_text(script)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("SUBLIGHT_", "AZUREML_"))}
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "azureml._node", "script.py"],
        cwd=folder,
        env={**environment, **variables},
        capture_output=True,
        text=True,
        timeout=250,
    )


def answers(library: str, folder: Path) -> tuple[list[Any], str]:
    """What all snippets of a library give, from one process, and what it said in the log."""
    if library not in _answers:
        lines = ["import json", "answers = []", SETUPS[library]]
        for code, _, _ in SNIPPETS[library]:
            *statements, expression = code.split("; ")
            lines += ["try:", *(f"    {statement}" for statement in statements), f"    answers.append({expression})"]
            lines += ["except Exception as error:", "    answers.append(f'{type(error).__name__}: {error}')"]
        lines.append("print(json.dumps(answers, default=str))")
        result = run_script(folder, "\n".join(lines))
        assert result.returncode == 0, result.stderr
        _answers[library] = json.loads(result.stdout.splitlines()[-1]), result.stderr
    return _answers[library]


@pytest.mark.parametrize(
    ("library", "number"), CASES, ids=[f"{library}: {SNIPPETS[library][n][0]}" for library, n in CASES]
)
def test_what_old_scripts_write_works_and_is_announced(library: str, number: int, tmp_path: Path) -> None:
    _, expected, announced = SNIPPETS[library][number]
    found, log = answers(library, tmp_path)

    assert found[number] == expected
    assert announced in log


def test_each_first_use_is_one_line_that_says_how_to_switch_it_off(tmp_path: Path) -> None:
    result = run_script(tmp_path, "import numpy as np\nfor _ in range(3): np.float(1)\n")

    assert result.stderr == (
        "sublight: np.float was removed in NumPy 1.24; put back as float (switch off: AZUREML_FACADE_COMPAT=off)\n"
    )


def test_processes_of_one_run_do_not_repeat_each_other(tmp_path: Path) -> None:
    script = "import subprocess, sys\nfor _ in range(2): subprocess.run([sys.executable, '-c', 'import numpy; numpy.float'])\n"
    result = run_script(tmp_path, script, SUBLIGHT_RUN_DIRECTORY=str(tmp_path))

    assert result.stderr.count("np.float was removed") == 1


def test_switched_off_everything_is_as_the_libraries_have_it(tmp_path: Path) -> None:
    result = run_script(tmp_path, "import numpy as np\nnp.float(1)\n", AZUREML_FACADE_COMPAT="off")

    assert "AttributeError" in result.stderr
    assert "sublight:" not in result.stderr


def test_a_script_without_these_libraries_loads_none_of_them(tmp_path: Path) -> None:
    script = "import sys\nprint([name for name in ('numpy', 'pandas', 'sklearn', 'scipy', 'typing') if name in sys.modules])\n"

    assert run_script(tmp_path, script).stdout.replace("'typing'", "").strip() == "[]"


def test_data_that_is_gone_is_named_in_a_sentence(tmp_path: Path) -> None:
    result = run_script(tmp_path, "from sklearn.datasets import load_boston\nload_boston()\n")

    assert result.returncode == 1
    assert "its data, which cannot be put back" in result.stderr.splitlines()[-1]
