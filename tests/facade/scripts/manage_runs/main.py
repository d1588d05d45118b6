import azureml.core
from azureml.core import Workspace, Experiment, Run
from azureml.core import ScriptRunConfig
ws = Workspace.from_config()
exp = Experiment(workspace=ws, name="explore-runs")
open('hello.py','w').write('''
import numpy as np
import time
print(np.random.rand(3))
print("Hello!")
''')
open('hello_with_delay.py','w').write('''
import time
print("Wait for 10 seconds..")
time.sleep(30)
print("Done waiting")
''')
open('hello_with_children.py','w').write('''
from azureml.core import Run
run = Run.get_context()
child_runs = run.create_children(count=3)
for c, child in enumerate(child_runs):
    child.log(name="Hello from child run ", value=c)
    child.complete()
with run.child_run(name='named') as k:
    k.log('m', 1.5); k.tag('z', 'y')
''')
notebook_run = exp.start_logging()
notebook_run.log(name="message", value="Hello from run!")
print(notebook_run.get_status())
notebook_run.complete()
print(notebook_run.get_status())

# %%
run_config = ScriptRunConfig(source_directory='.', script='hello.py')
local_script_run = exp.submit(run_config)
print(local_script_run.get_details())
print(local_script_run.get_status())
local_script_run.wait_for_completion(show_output=True)
print(local_script_run.get_status())

# %%
run_config = ScriptRunConfig(source_directory='.', script='hello_with_delay.py')
local_script_run = exp.submit(run_config)
print("Did the run start?",local_script_run.get_status())
local_script_run.cancel()
print("Did the run cancel?",local_script_run.get_status())
local_script_run.wait_for_completion()
local_script_run = exp.submit(run_config)
local_script_run.fail()
print(local_script_run.get_status())
try:
    with exp.start_logging() as bad:
        raise ValueError('oops')
except ValueError: print(bad.get_status())

# %%
notebook_run.tag("quality", "great run"); notebook_run.tag("quality", "fantastic run"); notebook_run.tag('worth another look')
notebook_run.add_properties({"author":"azureml-user"})
print(notebook_run.get_properties(), notebook_run.get_tags())
try:
    notebook_run.add_properties({"author":"different-user"})
except Exception as e:
    print('EXPECTED', type(e).__name__, e)
print(list(exp.get_runs(properties={"author":"azureml-user"},tags={"quality":"fantastic run"})))
print(list(exp.get_runs(properties={"author":"azureml-user"},tags="worth another look")))

# %%
run_config = ScriptRunConfig(source_directory='.', script='hello_with_children.py')
local_script_run = exp.submit(run_config)
local_script_run.wait_for_completion(show_output=True)
print(local_script_run.get_status())

# %%
list(local_script_run.get_children())

# %%
for c in local_script_run.get_children(): print(c.id, c.name, c.parent.id, c.get_metrics(), c.status)
print(local_script_run.get_metrics(recursive=True))
parent_run = exp.start_logging()
for c,count in enumerate(range(0,3)):
    with parent_run.child_run() as child:
        child.log(name="Hello from child run", value=c)
kids = parent_run.create_children(tag_key='k', tag_values=['a', 'b']); [k.complete() for k in kids]
parent_run.complete()
list(parent_run.get_children())

# %%
print([r.id for r in parent_run.get_children(tags={'k': 'a'})])
sub = parent_run.submit_child(ScriptRunConfig('.', 'hello.py')) 
sub.wait_for_completion(); print(sub.parent.id == parent_run.id, [c.id for c in parent_run.get_children(recursive=True)])
sub.display_name = 'renamed'; print(sub.display_name, Run.get(ws, sub.id).display_name)
print([r.id for r in Run.list(exp, status='Completed')][:3], len(list(exp.get_runs(include_children=True))))
open('fails.py', 'w').write('raise RuntimeError("no")')
f = exp.submit(ScriptRunConfig('.', 'fails.py'))
from azureml.exceptions import ActivityFailedException
try: f.wait_for_completion(show_output=True)
except ActivityFailedException as e: print('EXPECTED', str(e)[:200])
print(f.get_details()['error'], f.get_detailed_status())
f.wait_for_completion(raise_on_error=False)['status']
