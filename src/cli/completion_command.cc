#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/context.h"

namespace vigil::cli {
namespace {

// Everything that may follow on this level.
std::vector<std::string> Words(const CLI::App& app) {
  std::vector<std::string> words;
  for (const CLI::App* sub : app.get_subcommands([](const CLI::App*) { return true; }))
    words.push_back(sub->get_name());
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_group().empty()) continue;
    for (const std::string& name : option->get_lnames()) words.push_back("--" + name);
  }
  return words;
}

void Walk(const CLI::App& app, const std::string& path,
          std::vector<std::pair<std::string, std::string>>& levels) {
  levels.emplace_back(path, fmt::format("{}", fmt::join(Words(app), " ")));
  for (const CLI::App* sub : app.get_subcommands([](const CLI::App*) { return true; }))
    Walk(*sub, path.empty() ? sub->get_name() : path + " " + sub->get_name(), levels);
}

std::string Bash(const CLI::App& app) {
  std::vector<std::pair<std::string, std::string>> levels;
  Walk(app, "", levels);
  std::string cases;
  for (const auto& [path, words] : levels) cases += fmt::format("    \"{}\") words=\"{}\" ;;\n", path, words);
  return "_vigil() {\n"
         "  local path=\"\" word words=\"\" i\n"
         "  for ((i = 1; i < COMP_CWORD && i < 3; i++)); do\n"
         "    word=\"${COMP_WORDS[i]}\"\n"
         "    [[ \"$word\" == -* || \"$word\" == *[:/.]* ]] && break\n"
         "    path=\"${path:+$path }$word\"\n"
         "  done\n"
         "  case \"$path\" in\n" +
         cases +
         "    *) path=\"${path%% *}\" ;;\n"
         "  esac\n"
         "  COMPREPLY=($(compgen -W \"$words\" -- \"${COMP_WORDS[COMP_CWORD]}\"))\n"
         "}\n"
         "complete -o default -F _vigil vigil\n";
}

std::string Fish(const CLI::App& app) {
  std::string out = "complete -c vigil -f\n";
  for (const CLI::App* sub : app.get_subcommands([](const CLI::App*) { return true; })) {
    out += fmt::format("complete -c vigil -n __fish_use_subcommand -a {} -d '{}'\n", sub->get_name(),
                       sub->get_description());
    const std::string seen = fmt::format("-n '__fish_seen_subcommand_from {}'", sub->get_name());
    for (const CLI::App* leaf : sub->get_subcommands([](const CLI::App*) { return true; }))
      out += fmt::format("complete -c vigil {} -a {} -d '{}'\n", seen, leaf->get_name(),
                         leaf->get_description());
    for (const CLI::Option* option : sub->get_options()) {
      if (option->get_group().empty()) continue;
      for (const std::string& name : option->get_lnames())
        out += fmt::format("complete -c vigil {} -l {}\n", seen, name);
    }
  }
  return out;
}

}  // namespace

void AddCompletion(CLI::App& app, Context& context) {
  const auto shell = std::make_shared<std::string>();
  CLI::App* command = app.add_subcommand("completion", "Print completions for your shell");
  command->footer(
      "\n  eval \"$(vigil completion bash)\"\n"
      "  autoload -U bashcompinit && bashcompinit && eval \"$(vigil completion zsh)\"\n"
      "  vigil completion fish > ~/.config/fish/completions/vigil.fish");
  command->add_option("shell", *shell, "bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  command->callback([shell, &app, &context] {
    context.run = [shell, &app] {
      // zsh takes the bash script through its bashcompinit.
      fmt::print("{}", *shell == "fish" ? Fish(app) : Bash(app));
      return kOk;
    };
  });
}

}  // namespace vigil::cli
